import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localhostCertificate } from '../fixtures/certificates.js'
import { NGINX } from '../fixtures/nginx.js'
import { checkRow, kindOf, type Kind, type Row } from './_table.js'
import { CHARSET_ROWS } from './_table-charsets.js'
import { COMPRESSION_ROWS } from './_table-compression.js'
import { COOKIE_ROWS } from './_table-cookies.js'
import { DIGEST_ROWS } from './_table-digest.js'
import { FRAMING_ROWS } from './_table-framing.js'
import { startTableNginx } from './_table-nginx.js'
import { NGINX_ROWS } from './_table-of-nginx.js'
import { RANGE_ROWS } from './_table-ranges.js'
import { REDIRECT_ROWS } from './_table-redirects.js'
import { SERVER_ROWS } from './_table-servers.js'

const SUBJECTS: Readonly<Record<string, readonly Row[]>> = {
  Digest: DIGEST_ROWS,
  cookies: COOKIE_ROWS,
  redirects: REDIRECT_ROWS,
  compression: COMPRESSION_ROWS,
  charsets: CHARSET_ROWS,
  ranges: RANGE_ROWS,
  framing: FRAMING_ROWS,
  'slow and early servers': SERVER_ROWS,
  nginx: NGINX_ROWS,
}
const LEAST = 150

test(
  'a Session does right with servers of all kinds, and with those that do wrong',
  { timeout: 120_000 },
  async (t) => {
    const { cert, key } = await localhostCertificate()
    const nginx = await startTableNginx(t, { cert, key })
    const subjects = new Map<string, number>()
    const kinds = new Map<Kind, number>()
    const skipped: string[] = []
    let all = 0
    for (const [subject, rows] of Object.entries(SUBJECTS)) {
      for (const row of rows) {
        const skip =
          row.nginx !== undefined && nginx === undefined ? `${NGINX} cannot be found here` : (row.skip ?? false)
        all += 1
        if (skip === false) {
          subjects.set(subject, (subjects.get(subject) ?? 0) + 1)
          kinds.set(kindOf(row), (kinds.get(kindOf(row)) ?? 0) + 1)
        } else skipped.push(`${subject}: ${row.name}: ${skip}`)
        await t.test(`${subject}: ${row.name}`, { skip, timeout: 20_000 }, (own) =>
          checkRow(own, row, { cert, key, nginx }),
        )
      }
    }
    const shown = (counts: ReadonlyMap<string, number>): string =>
      [...counts].map(([name, count]) => `${count} ${name}`).join(', ')
    console.log(`table: ${all - skipped.length} of ${all} rows were run: ${shown(subjects)}`)
    console.log(`table: against ${shown(kinds)}`)
    for (const why of skipped) console.log(`table: skipped ${why}`)
    await t.test(`there are at least ${LEAST} rows`, () => assert.ok(all >= LEAST, `${all}`))
  },
)
