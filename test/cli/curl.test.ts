import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { messageOf } from '#src/base/index.js'
import { ACCEPT_ENCODING } from '#src/client/index.js'
import { CurlWorker, curlVersion, judge, type CurlRow } from './_curl-judge.js'
import { BODY_ROWS } from './_curl-rows-bodies.js'
import { END_ROWS } from './_curl-rows-ends.js'
import { FILE_ROWS } from './_curl-rows-files.js'
import { HEAD_ROWS } from './_curl-rows-heads.js'
import { WAY_ROWS } from './_curl-rows-ways.js'

const ROWS: readonly CurlRow[] = [...HEAD_ROWS, ...BODY_ROWS, ...WAY_ROWS, ...END_ROWS, ...FILE_ROWS]

/** `MOORAGE_CURL_ROW=--digest npm test -- cli/curl` runs those with this in their name. */
const ONLY = process.env['MOORAGE_CURL_ROW']

/** The rows say what these versions of curl do. */
const KNOWN = '7.88.'

/** What belongs to this curl and to this Node. */
function filled(row: CurlRow): CurlRow {
  if (row.explained === undefined) return row
  const fill = (text: string): string =>
    text.replaceAll('{version}', curlVersion ?? '').replaceAll('{codings}', ACCEPT_ENCODING)
  const { why, parts } = row.explained
  return { ...row, explained: { why, parts: parts.map(([theirs, ours]) => [fill(theirs), fill(ours)] as const) } }
}

const skipped = (row: CurlRow): string | false => {
  if (curlVersion === undefined) return 'there is no curl here'
  return row.onlyCurl7 === true && !curlVersion.startsWith('7.') ? `curl ${curlVersion} waits in other cases` : false
}

/** A worker for each row that is judged at a time; every third row runs as the program that it is, and so do those with a stdin. */
const idle: CurlWorker[] = []
const runs = ROWS.filter(({ name }) => ONLY === undefined || name.includes(ONLY))

void suite('moorage curl and curl send the same bytes, print the same and exit alike', { concurrency: 2 }, () => {
  after(() => {
    for (const worker of idle) worker.stop()
  })
  for (const [at, row] of runs.entries()) {
    void test(row.name, { skip: skipped(row) }, async (t) => {
      try {
        if (at % 3 === 0 || row.stdin !== undefined) return await judge(filled(row))
        const worker = idle.pop() ?? new CurlWorker()
        await judge(filled(row), worker).finally(() => idle.push(worker))
      } catch (error) {
        if (curlVersion?.startsWith(KNOWN) === true) throw error
        // Other versions have their own ways here and there: then it is told, and nobody's fault.
        t.skip(`curl ${curlVersion ?? ''} is another judge: ${messageOf(error).split('\n')[0] ?? ''}`)
      }
    })
  }
})

void test('at least 100 command lines are compared, and at least 85 of them are equal byte for byte', (t) => {
  const names = new Set(ROWS.map(({ name }) => name))
  const explained = ROWS.filter((row) => row.explained !== undefined)
  const equal = ROWS.length - explained.length
  t.diagnostic(`${ROWS.length} command lines: ${equal} equal, ${explained.length} explained`)
  for (const { name, explained: { why } = { why: '' } } of explained) t.diagnostic(`${name}: ${why}`)
  assert.equal(names.size, ROWS.length)
  assert.ok(ROWS.length >= 100 && equal >= 85)
})
