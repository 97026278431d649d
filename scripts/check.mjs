// `npm run check [name…]`: every rule of this house as a program. A line a check, with the number of files it has read;
// a check that read fewer than there are on disk has failed, whatever it says.
import { buildPackage, installPackages, root } from './setup.mjs'

/** Those with `built` look at the compiled package; the others do without. */
const CHECKS = [
  { name: 'merges' },
  { name: 'format' },
  { name: 'lint', built: true },
  { name: 'types', built: true },
  { name: 'floors' },
  { name: 'codes', built: true },
  { name: 'links' },
  { name: 'snippets', built: true },
  { name: 'package', built: true },
]
const MAX_FINDINGS = 60
const AT_ONCE = 2

const words = process.argv.slice(2)
const unknown = words.filter((word) => !CHECKS.some(({ name }) => name === word))
if (unknown.length > 0) {
  console.error(`check: there is no ${unknown.join(', ')}; known are ${CHECKS.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = CHECKS.filter(({ name }) => words.length === 0 || words.includes(name))
installPackages()
if (chosen.some(({ built }) => built)) buildPackage()

let failed = false
const waiting = [...chosen]
await Promise.all(Array.from({ length: AT_ONCE }, runWaiting))
process.exit(failed ? 1 : 0)

async function runWaiting() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) report(next.name, await run(next.name))
}

async function run(name) {
  try {
    const { check } = await import(`./checks/${name}.mjs`)
    const { read, onDisk, unit = 'files', findings } = await check(root)
    const guard = read < onDisk ? [`read ${read} of the ${onDisk} ${unit} on disk: it may have missed something`] : []
    return { count: `${read} ${unit}`, findings: [...guard, ...findings] }
  } catch (error) {
    return { count: 'broken', findings: [error instanceof Error ? error.stack : String(error)] }
  }
}

function report(name, { count, findings }) {
  const verdict = findings.length === 0 ? 'ok  ' : 'fail'
  console.log(
    `${verdict}  ${name.padEnd(9)} ${count.padStart(12)}${findings.length > 0 ? `  ${findings.length} findings` : ''}`,
  )
  for (const finding of findings.slice(0, MAX_FINDINGS)) console.log(`      ${finding}`)
  if (findings.length > MAX_FINDINGS) console.log(`      … and ${findings.length - MAX_FINDINGS} more`)
  if (findings.length > 0) failed = true
}
