import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { localhostCertificate } from '../fixtures/certificates.js'
import { main } from '../cli/_programs.js'
import { startTableNginx } from './_table-nginx.js'
import { CELLS, Matrix, missingFor, nameOf, type Cell } from './_proxy-cells.js'
import { NGINX } from '../fixtures/nginx.js'
import { DANTED } from '../fixtures/socks-programs.js'
import { SQUID } from '../fixtures/squid.js'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function moorage(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: { ...process.env, ...env } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

/** Some of them, as people type them. */
const TYPED: readonly (readonly [proxy: Cell['proxy'], auth: Cell['auth']])[] = [
  ['http', 'none'],
  ['http', 'digest'],
  ['https', 'basic'],
  ['socks4a', 'user id'],
  ['socks5', 'password'],
]

test('every target is reached through every proxy', { timeout: 120_000 }, async (t) => {
  const { cert, key } = await localhostCertificate()
  const matrix = await Matrix.start(t, { cert, key })
  let [passed, refusals, multiplexed, doubled, typed] = [0, 0, 0, 0, 0]
  const skipped: string[] = []
  const row = async (name: string, skip: string | false, run: (t: TestContext) => Promise<void>): Promise<void> => {
    if (skip !== false) skipped.push(`${name}: ${skip}`)
    await t.test(name, { skip }, run)
  }

  for (const cell of CELLS) {
    const missing = missingFor(cell)
    await row(nameOf(cell), missing, async (own) => {
      await matrix.check(own, cell)
      passed += 1
    })
    if (cell.auth === 'none') continue
    await row(
      `${nameOf(cell)}, with what is wrong`,
      missing === false ? (cell.checksNothing ?? false) : missing,
      async (own) => {
        await matrix.checkRefusal(own, cell)
        refusals += 1
      },
    )
  }

  for (const cell of CELLS.filter(({ proxy, program }) => proxy === 'socks5' && program === DANTED)) {
    const name = `${cell.target}: through a proxy of socks5:, by accounts of the system`
    const missing = missingFor(cell)
    await row(`${name}, with what is wrong`, missing, async (own) => {
      await matrix.checkAccounts(own, cell)
      refusals += 1
    })
    await row(name, missing === false ? 'dante wants an account of this system and its password' : missing, () =>
      Promise.resolve(),
    )
  }

  const nginx = await startTableNginx(t, { cert, key })
  for (const cell of CELLS.filter(({ target, host }) => target === 'https' && host === undefined)) {
    const missing = nginx === undefined ? `${NGINX} cannot be found here` : missingFor(cell)
    await row(`HTTP/2 of nginx, ${nameOf(cell)}`, missing, async (own) => {
      await matrix.checkHttp2(own, cell, nginx?.h2 ?? '')
      multiplexed += 1
    })
  }

  for (const cell of CELLS.filter(({ auth }) => auth === 'basic' || auth === 'digest')) {
    const missing = nginx === undefined ? `${NGINX} cannot be found here` : missingFor(cell)
    await row(`credentials of a server, ${nameOf(cell)}`, missing, async (own) => {
      await matrix.checkBoth(own, cell, nginx?.[cell.target === 'https' ? 'h2' : 'http'] ?? '')
      doubled += 1
    })
  }

  const folder = await mkdtemp(join(tmpdir(), 'moorage-matrix-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const ca = join(folder, 'ca.pem')
  await writeFile(ca, cert)
  for (const cell of CELLS.filter(({ proxy, auth }) => TYPED.some(([p, a]) => p === proxy && a === auth))) {
    await row(`moorage get -x, ${nameOf(cell)}`, missingFor(cell), async () => {
      // --ca is of the target; the proxy of https: is known by the authorities of the system.
      const args = ['get', '-x', matrix.proxyUrl(cell) ?? '', ...(cell.target === 'https' ? ['--ca', ca] : [])]
      const { code, out, err } = await moorage([...args, `${matrix.url(cell)}/typed`], { NODE_EXTRA_CA_CERTS: ca })
      assert.equal(code, 0, err)
      assert.match(out, /"line": ?"GET \/typed"/)
      typed += 1
    })
  }
  const refusing = CELLS.find(({ proxy, auth, target }) => proxy === 'http' && auth === 'digest' && target === 'https')
  assert.ok(refusing !== undefined)
  await row(
    'moorage get -x with a wrong password exits with 13, and shows none',
    missingFor({ ...refusing, program: SQUID }),
    async () => {
      const { code, out, err } = await moorage(
        ['get', '-x', matrix.proxyUrl(refusing, 'wr0ng') ?? '', matrix.url(refusing)],
        {},
      )
      assert.equal(code, 13, err)
      assert.ok(!`${out}${err}`.includes('wr0ng'), err)
      typed += 1
    },
  )

  await t.test('all of them were tried, or skipped for a reason', (own) => {
    const all = CELLS.length
    own.diagnostic(`${passed} of ${all} cells passed`)
    console.log(
      `proxies: ${passed} of ${all} cells, ${refusals} refusals, ${multiplexed} with HTTP/2, ${doubled} with credentials of both and ${typed} commands passed; ${skipped.length} were skipped`,
    )
    for (const why of skipped) console.log(`proxies: skipped ${why}`)
    assert.ok(all >= 22)
  })
})
