import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { inspect } from 'node:util'
import { basic } from '#src/client/auth.js'
import { ProxyError } from '#src/client/errors.js'
import { Session } from '#src/client/session.js'
import { json, type HttpFunction } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'
import { SERVER_USER } from './_table-nginx.js'
import { DANTED, MICROSOCKS, startDanted, startMicrosocks } from '../fixtures/socks-programs.js'
import { SQUID, SQUID_USER, startSquid, type Squid } from '../fixtures/squid.js'

export type Auth = 'none' | 'basic' | 'digest' | 'user id' | 'password'
export type Target = 'http' | 'https'

/** One way to a target. */
export interface Cell {
  readonly proxy: 'direct' | 'http' | 'https' | 'socks4' | 'socks4a' | 'socks5' | 'socks5h'
  readonly auth: Auth
  readonly target: Target
  /** What must be there. */
  readonly program: string | undefined
  /** Why wrong credentials cannot be tried, where there are any. */
  readonly checksNothing?: string
  /** Why it cannot be tried. */
  readonly skip?: string
  readonly host?: string
}

const TARGETS: readonly Target[] = ['http', 'https']
const toBoth = (cell: Omit<Cell, 'target'>): readonly Cell[] => TARGETS.map((target) => ({ ...cell, target }))
const TAKES_ANY = 'dante takes each user id of SOCKS4 as it comes'

export const CELLS: readonly Cell[] = [
  ...toBoth({ proxy: 'direct', auth: 'none', program: undefined }),
  ...(['http', 'https'] as const).flatMap((proxy) =>
    (['none', 'basic', 'digest'] as const).flatMap((auth) => toBoth({ proxy, auth, program: SQUID })),
  ),
  ...toBoth({ proxy: 'socks4a', auth: 'none', program: DANTED }),
  ...toBoth({ proxy: 'socks4a', auth: 'user id', program: DANTED, checksNothing: TAKES_ANY }),
  ...toBoth({ proxy: 'socks5', auth: 'none', program: DANTED }),
  ...toBoth({ proxy: 'socks5', auth: 'password', program: MICROSOCKS }),
  ...toBoth({
    ...{ proxy: 'socks4a', auth: 'none', program: DANTED, host: 'localhost' },
    skip: 'dante 1.4 takes a name of SOCKS4a for the address 0.0.0.1',
  }),
  // Beyond the matrix: names that are resolved here, and there.
  ...toBoth({ proxy: 'socks4', auth: 'none', program: DANTED, host: 'localhost' }),
  ...toBoth({ proxy: 'socks5h', auth: 'none', program: DANTED, host: 'localhost' }),
  ...toBoth({ proxy: 'socks5h', auth: 'password', program: MICROSOCKS, host: 'localhost' }),
]

export const nameOf = ({ proxy, auth, target, host }: Cell): string =>
  proxy === 'direct'
    ? `${target}: directly`
    : `${target}: through a proxy of ${proxy}:, ${auth === 'none' ? 'for all' : `by ${auth}`}${host === undefined ? '' : ', by name'}`

export const missingFor = ({ program, skip }: Cell): string | false =>
  program === undefined || existsSync(program) ? (skip ?? false) : `${program} cannot be found here`

/** What a wrong answer may not show: the right password and the wrong one, plain and as Basic has it. */
const WRONG = 'not-the-p4ssword'
const SECRETS = [SQUID_USER.password, WRONG, btoa(`${SQUID_USER.user}:${WRONG}`)]

/** All proxies and both targets, started once. They end with their test. */
export class Matrix {
  readonly #ca: string
  readonly #ports = new Map<string, number>()
  readonly #targets = new Map<Target, string>()
  /** Ports of the peers of the targets, the last one last. */
  readonly #peers: number[] = []

  private constructor(ca: string) {
    this.#ca = ca
  }

  static async start(t: TestContext, { cert, key }: { readonly cert: string; readonly key: string }): Promise<Matrix> {
    const matrix = new Matrix(cert)
    const squids = (['none', 'basic', 'digest'] as const).map(async (auth) => {
      if (existsSync(SQUID)) matrix.#addSquid(auth, await startSquid(t, { auth, cert, key }))
    })
    await Promise.all([...squids, matrix.#startSocks(t), matrix.#serve(t, { cert, key })])
    return matrix
  }

  #addSquid(auth: Auth, { port, tlsPort }: Squid): void {
    this.#ports.set(`http ${auth}`, port).set(`https ${auth}`, tlsPort)
  }

  async #startSocks(t: TestContext): Promise<void> {
    if (existsSync(DANTED)) {
      const port = await startDanted(t, 'none')
      for (const cell of ['socks4 none', 'socks4a none', 'socks4a user id', 'socks5 none', 'socks5h none'])
        this.#ports.set(cell, port)
      this.#ports.set('accounts', await startDanted(t, 'username'))
    }
    if (existsSync(MICROSOCKS)) {
      const port = await startMicrosocks(t, SQUID_USER.user, SQUID_USER.password)
      this.#ports.set('socks5 password', port).set('socks5h password', port)
    }
  }

  async #serve(t: TestContext, tls: { readonly cert: string; readonly key: string }): Promise<void> {
    const answer: HttpFunction = async ({ method, path, headers, remote, body }) => {
      if (remote.kind === 'ip') this.#peers.push(remote.port)
      return json({
        line: `${method} ${path}`,
        body: (await body?.text()) ?? '',
        told: headers.get('proxy-authorization') ?? 'nothing',
      })
    }
    for (const target of TARGETS) {
      const server = await serveHttp(
        `${target}://127.0.0.1:0`,
        answer,
        target === 'https' ? { tls: { cert: tls.cert, key: tls.key } } : {},
      )
      t.after(() => server.close({ graceMs: 0 }))
      this.#targets.set(target, server.endpoint)
    }
  }

  url({ target, host = '127.0.0.1' }: Cell): string {
    return (this.#targets.get(target) ?? '').replace('127.0.0.1', host)
  }

  /** Of the proxy; `undefined` for none. */
  proxyUrl({ proxy, auth }: Cell, password: string = SQUID_USER.password): string | undefined {
    if (proxy === 'direct') return undefined
    const { user } = SQUID_USER
    const who = auth === 'none' ? '' : auth === 'user id' ? `${user}@` : `${user}:${password}@`
    return `${proxy}://${who}127.0.0.1:${this.#ports.get(`${proxy} ${auth}`) ?? 0}`
  }

  /** That of dante whose users are those of the system. */
  accountsUrl(user: string): string {
    return `socks5://${user}:${WRONG}@127.0.0.1:${this.#ports.get('accounts') ?? 0}`
  }

  session(t: TestContext, proxy: string | undefined): Session {
    const session = new Session({
      retries: 0,
      tls: { ca: this.#ca },
      proxy: proxy === undefined ? false : { url: proxy, tls: { ca: this.#ca } },
    })
    t.after(() => session.destroy())
    return session
  }

  /** There and back, twice over one connection, with and without a body. */
  async check(t: TestContext, cell: Cell): Promise<void> {
    const url = this.url(cell)
    const session = this.session(t, this.proxyUrl(cell))
    this.#peers.length = 0
    const first = await session.get(`${url}/a`)
    assert.deepEqual(await first.json(), { line: 'GET /a', body: '', told: 'nothing' })
    // Behind the challenge of Digest the connection was there.
    if (cell.auth !== 'digest') assert.notEqual(first.elapsed.connectMs, undefined)
    const heads: string[] = []
    const body = 'x'.repeat(100_000)
    const posted = await session.post(`${url}/b`, { body, onHead: (head) => heads.push(head) })
    assert.deepEqual(await posted.json(), { line: 'POST /b', body, told: 'nothing' })
    assert.equal(posted.elapsed.connectMs, undefined, 'the second request needs no other connection')
    assert.equal(heads.length, 1, 'and no other challenge')
    if (cell.target === 'https' || cell.proxy.startsWith('socks'))
      assert.equal(new Set(this.#peers).size, 1, 'the target sees one connection')
  }

  /** Credentials that are wrong, and those that are missing. */
  async checkRefusal(t: TestContext, cell: Cell): Promise<void> {
    const wrong = this.proxyUrl(cell, WRONG) ?? ''
    for (const proxy of [wrong, wrong.replace(/\/\/.*@/, '//')]) {
      const session = this.session(t, proxy)
      this.#peers.length = 0
      if (cell.target === 'http' && cell.proxy.startsWith('http')) {
        // RFC 9110 §15.5.8: where the proxy is sent the request itself, its refusal is a response.
        const response = await session.get(this.url(cell))
        assert.equal(response.status, 407)
        assert.equal(response.isRefusedByProxy, true)
        assert.throws(
          () => response.raiseForStatus(),
          (error) => error instanceof ProxyError && error.code === 'ERR_PROXY_AUTH' && showsNothing(error),
        )
        assert.ok(SECRETS.every((secret) => !inspect(response, { depth: 9 }).includes(secret)))
        response.discard()
      } else await refused(session, this.url(cell))
      assert.equal(this.#peers.length, 0, 'the target is not asked')
    }
  }

  /** HTTP/2 within a tunnel, many requests side by side. */
  async checkHttp2(t: TestContext, cell: Cell, origin: string): Promise<void> {
    const session = this.session(t, this.proxyUrl(cell))
    const all = Array.from({ length: 20 }, async (_, i) => {
      const response = await session.get(`${origin}/protocol?${i}`)
      return `${response.httpVersion} ${await response.text()}`
    })
    assert.deepEqual(new Set(await Promise.all(all)), new Set(['2 HTTP/2.0 GET']))
  }

  /** Credentials of the server and of the proxy, side by side: neither is told those of the other. */
  async checkBoth(t: TestContext, cell: Cell, origin: string): Promise<void> {
    const session = this.session(t, this.proxyUrl(cell))
    const url = `${origin}/locked/hello.txt`
    assert.equal((await session.get(url)).status, 401)
    const heads: string[] = []
    const auth = basic(SERVER_USER.user, SERVER_USER.password)
    const response = await session.get(url, { auth, onHead: (head) => heads.push(head) })
    assert.equal(await response.text(), 'hello, nginx')
    // Through a tunnel the server is sent the request itself.
    const toProxy = heads.filter((head) => /^proxy-authorization:/im.test(head)).length
    assert.equal(toProxy, cell.target === 'https' ? 0 : heads.length)
  }

  async checkAccounts(t: TestContext, cell: Cell): Promise<void> {
    await refused(this.session(t, this.accountsUrl('nobody-here')), this.url(cell))
  }
}

async function refused(session: Session, url: string): Promise<void> {
  await assert.rejects(session.get(url), (error) => {
    assert.ok(error instanceof ProxyError)
    assert.equal(error.code, 'ERR_PROXY_AUTH')
    return showsNothing(error)
  })
}

function showsNothing(error: Error): boolean {
  const shown = `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`
  for (const secret of SECRETS) assert.ok(!shown.includes(secret), shown)
  return true
}
