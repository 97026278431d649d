// What `npm test` prints: every test that failed or was skipped, with its reason, and the runner's own counts. The failures stand once more
// before the counts, because a log that is cut keeps its end.
import { relative } from 'node:path'
import { inspect } from 'node:util'
import { root } from './setup.mjs'

export default async function* report(events) {
  const failures = []
  for await (const { type, data } of events) {
    switch (type) {
      case 'test:fail':
        if (isOnlyOfItsParts(data) || data.todo !== undefined) break
        failures.push(failureOf(data))
        yield failures.at(-1)
        break
      case 'test:pass':
        if (data.skip !== undefined) yield `skipped: ${data.name}${data.skip === true ? '' : `: ${data.skip}`}\n`
        break
      case 'test:stderr':
      case 'test:stdout':
        yield data.message
        break
      case 'test:diagnostic':
        // Counts of the whole come last, one line each; those of a file say nothing here.
        if (data.nesting === 0 && data.message.startsWith('tests ') && failures.length > 0)
          yield `\nfailed, once more:\n${failures.join('')}\n`
        if (data.nesting === 0) yield `# ${data.message}\n`
        break
    }
  }
}

/** A suite fails when a test in it does; that one has been told. */
function isOnlyOfItsParts({ details }) {
  return details.error?.failureType === 'subtestsFailed'
}

function failureOf({ name, file, line, details }) {
  const error = details.error?.cause ?? details.error
  const words = (typeof error === 'object' ? (error.stack ?? inspect(error)) : String(error)).trim()
  const where = file === undefined ? '' : ` (${relative(root, file)}${line === undefined ? '' : `:${line}`})`
  return `not ok - ${name}${where}\n${words.replace(/^/gm, '    ')}\n`
}
