import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { MoorageError } from '#src/base/errors.js'
import { processes, threads } from '#src/server/models/model.js'
import { serve } from '#src/server/serve.js'
import { AnyStreamServer } from '#src/server/stream-servers.js'
import { within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { parseEndpoint } from '#src/transport/endpoint.js'
import { listen } from '#src/transport/listen.js'
import { badHandlers } from '../fixtures/bad-handlers.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const bad = badHandlers()
const [one, other] = await Promise.all([localhostCertificate(), localhostCertificate()])
const nothing = (): void => undefined

interface Wanted {
  readonly code: string
  /** What a person must find in the message. */
  readonly says: readonly RegExp[]
}

async function refuses(attempt: () => Promise<unknown>, { code, says }: Wanted): Promise<void> {
  const error = await within('the refusal', attempt()).then(
    async (made) => {
      if (typeof made === 'object' && made !== null && 'close' in made && typeof made.close === 'function') made.close()
      throw new Error('it was not refused')
    },
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof MoorageError, String(error))
  assert.equal(error.code, code, error.message)
  for (const wanted of says) assert.match(error.message, wanted)
  assert.match(error.message, /^[A-Z]/)
  assert.doesNotMatch(error.message, /\n|undefined|\[object/)
}

/** An option that the types refuse too. */
const untyped = (options: Record<string, unknown>): object => options

suite('malformed endpoints', () => {
  const rows: readonly (readonly [endpoint: string, code: string, ...says: RegExp[]])[] = [
    ['', 'ERR_ENDPOINT', /tcp:/],
    ['127.0.0.1:9000', 'ERR_ENDPOINT', /tcp:/],
    ['tcp:127.0.0.1:9000', 'ERR_ENDPOINT', /tcp:\/\//],
    ['tpc://127.0.0.1:9000', 'ERR_ENDPOINT', /tcp/],
    ['tcp://127.0.0.1', 'ERR_ENDPOINT', /port/],
    ['tcp://127.0.0.1:', 'ERR_ENDPOINT', /port/],
    ['tcp://127.0.0.1:65536', 'ERR_ENDPOINT', /65535|65,535/],
    ['tcp://127.0.0.1:-1', 'ERR_ENDPOINT', /port/],
    ['tcp://127.0.0.1:http', 'ERR_ENDPOINT', /port/],
    ['tcp://::1:9000', 'ERR_ENDPOINT', /\[/],
    ['tcp://[::1:9000', 'ERR_ENDPOINT', /\[|\]/],
    ['tcp://[::zz]:9000', 'ERR_ENDPOINT', /IPv6/],
    ['tcp://user@127.0.0.1:9000', 'ERR_ENDPOINT'],
    ['tcp://127.0.0.1:9000/path', 'ERR_ENDPOINT', /path/],
    ['unix:', 'ERR_ENDPOINT', /path/],
    ['fd:x', 'ERR_ENDPOINT', /number|descriptor/],
    ['fd:-1', 'ERR_ENDPOINT', /number|descriptor/],
    ['memory:', 'ERR_ENDPOINT', /name/],
  ]
  for (const [endpoint, code, ...says] of rows) {
    test(`${JSON.stringify(endpoint)} is refused, and the part that is wrong is named`, async () => {
      await refuses(async () => parseEndpoint(endpoint), { code, says })
    })
  }

  test('an unknown parameter is refused, and the nearest is suggested', () =>
    refuses(() => serve('tcp://127.0.0.1:0?baklog=5', nothing), { code: 'ERR_ENDPOINT', says: [/backlog/] }))
  test('a parameter with a wrong value is refused', () =>
    refuses(() => serve('tcp://127.0.0.1:0?backlog=many', nothing), {
      code: 'ERR_ENDPOINT',
      says: [/backlog/, /many/],
    }))
  test('the wrong door names the right one', () =>
    refuses(() => serve('http://127.0.0.1:0', nothing), { code: 'ERR_ENDPOINT_SCHEME', says: [/serveHttp/] }))
  test('a datagram endpoint for a stream is refused', () =>
    refuses(() => connect('udp://127.0.0.1:9'), { code: 'ERR_ENDPOINT_SCHEME', says: [/connectDatagram/] }))
})

suite('options', () => {
  const rows: readonly (readonly [options: Record<string, unknown>, code: string, ...says: RegExp[]])[] = [
    [{ maxConections: 5 }, 'ERR_OPTION_UNKNOWN', /maxConections/, /maxConnections/],
    [{ max_connections: 5 }, 'ERR_OPTION_UNKNOWN', /maxConnections/],
    [{ graceMS: 5 }, 'ERR_OPTION_UNKNOWN', /graceMs/],
    [{ maxConnections: 0 }, 'ERR_OPTION_VALUE', /maxConnections/],
    [{ maxConnections: -1 }, 'ERR_OPTION_VALUE', /maxConnections/],
    [{ maxConnections: 1.5 }, 'ERR_OPTION_VALUE', /maxConnections/],
    [{ maxConnections: '5' }, 'ERR_OPTION_VALUE', /maxConnections/, /5/],
    [{ maxConnections: Number.NaN }, 'ERR_OPTION_VALUE', /maxConnections/],
    [{ onOverload: 'drop' }, 'ERR_OPTION_VALUE', /wait/, /refuse/],
    [{ model: 'threads' }, 'ERR_OPTION_VALUE', /threads\(\)/],
    [{ allow: '127.0.0.1' }, 'ERR_OPTION_VALUE', /allow/],
    [{ allow: ['127.0.0.1/33'] }, 'ERR_OPTION_VALUE', /127\.0\.0\.1\/33/],
    [{ idleTimeoutMs: -1 }, 'ERR_OPTION_VALUE', /idleTimeoutMs/],
    [{ logger: console.log }, 'ERR_OPTION_VALUE', /logger/i],
  ]
  for (const [options, code, ...says] of rows) {
    test(`${Object.keys(options).join()}: ${String(Object.values(options)[0])} is refused with ${code}`, () =>
      refuses(() => serve('tcp://127.0.0.1:0', nothing, untyped(options)), { code, says }))
  }
  test('an unknown option of a model is refused', () =>
    refuses(async () => threads(untyped({ sizes: 2 })), { code: 'ERR_OPTION_UNKNOWN', says: [/size/] }))
})

suite('addresses', () => {
  test('a port in use is refused, and the message names the holder', async () => {
    const holder = await listen('tcp://127.0.0.1:0')
    const says = process.platform === 'linux' ? [new RegExp(String(process.pid))] : []
    await refuses(() => serve(holder.endpoint, nothing), { code: 'ERR_ADDRESS_IN_USE', says })
    await holder.close()
  })
  test('a Unix path in use, one that is no socket, one too long', async () => {
    const path = join(bad.folder, 'in-use.sock')
    const holder = await listen(`unix:${path}`)
    await refuses(() => serve(`unix:${path}`, nothing), { code: 'ERR_ADDRESS_IN_USE', says: [/in-use\.sock/] })
    await holder.close()
    const file = bad.path('echo.mjs')
    await refuses(() => serve(`unix:${file}`, nothing), { code: 'ERR_UNIX_PATH', says: [/not a socket/] })
    const long = join(bad.folder, 'x'.repeat(120))
    await refuses(() => serve(`unix:${long}`, nothing), { code: 'ERR_UNIX_PATH', says: [/107/] })
    await refuses(() => connect(`unix:${long}`), { code: 'ERR_UNIX_PATH', says: [/107/] })
  })
  test('a Unix path of 107 bytes can be listened on and connected to', async () => {
    const path = join(bad.folder, 'y'.repeat(107 - bad.folder.length - 1))
    const server = await serve(`unix:${path}`, nothing)
    const client = await connect(`unix:${path}`)
    client.destroy()
    await server.close()
  })
  test('an address of another machine, a folder that is not there, a descriptor that is none', async () => {
    await refuses(() => serve('tcp://203.0.113.1:0', nothing), {
      code: 'ERR_ADDRESS_NOT_AVAILABLE',
      says: [/203\.0\.113\.1/],
    })
    await refuses(() => serve(`unix:${bad.folder}/no/such/folder.sock`, nothing), {
      code: 'ERR_UNIX_PATH',
      says: [/folder/],
    })
    await refuses(() => serve('fd:999', nothing), { code: 'ERR_DESCRIPTOR', says: [/999/] })
  })
  test('a folder that may not be written to is ERR_ACCESS', (t) => {
    const folder = join(bad.folder, 'unwritable')
    mkdirSync(folder)
    chmodSync(folder, 0o555)
    chmodSync(bad.folder, 0o755)
    const isRoot = process.getuid?.() === 0
    if (isRoot && spawnSync('setpriv', ['--version']).status !== 0) {
      t.skip('root may write anywhere, and setpriv is missing')
      return
    }
    const module = new URL('../../../dist/server/serve.js', import.meta.url).href
    const program = `const { serve } = await import(${JSON.stringify(module)})
      await serve('unix:${folder}/no.sock', () => undefined).catch((error) => console.log(error.code))`
    const command = [process.execPath, '--input-type=module', '-e', program]
    const prefix = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
    const [name = '', ...args] = [...prefix, ...command]
    const { stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' })
    if (stdout === '' && /EACCES|permission/i.test(stderr)) {
      t.skip('another user cannot read the package here')
      return
    }
    assert.equal(stdout, 'ERR_ACCESS\n', stderr)
  })
  test('nobody listens: every address that was tried is told', () =>
    refuses(() => connect('tcp://127.0.0.1:1'), { code: 'ERR_CONNECT', says: [/127\.0\.0\.1/] }))
  test('a name that cannot be resolved', () =>
    refuses(() => connect('tcp://does-not-exist.invalid:80'), {
      code: 'ERR_RESOLVE',
      says: [/does-not-exist\.invalid/],
    }))
})

suite('certificates', () => {
  const rows: readonly (readonly [what: string, tls: Record<string, unknown> | undefined, code: string])[] = [
    ['none at all', undefined, 'ERR_OPTION_VALUE'],
    ['no key', { cert: one.cert }, 'ERR_TLS_CERTIFICATE'],
    ['no certificate', { key: one.key }, 'ERR_TLS_CERTIFICATE'],
    ['text that is no PEM', { cert: 'hello', key: one.key }, 'ERR_TLS_CERTIFICATE'],
    [
      'a damaged certificate',
      { cert: one.cert.replace(/[A-Z]{3}\n/, 'AAA\n').slice(0, 300), key: one.key },
      'ERR_TLS_CERTIFICATE',
    ],
    ['a key of another certificate', { cert: one.cert, key: other.key }, 'ERR_TLS_CERTIFICATE'],
    ['a certificate in the place of the key', { cert: one.cert, key: one.cert }, 'ERR_TLS_CERTIFICATE'],
    [
      'a bad one for a name',
      { cert: one.cert, key: one.key, serverNames: { 'a.example': { cert: one.cert, key: other.key } } },
      'ERR_TLS_CERTIFICATE',
    ],
    [
      'ticket keys of the wrong length',
      { cert: one.cert, key: one.key, ticketKeys: new Uint8Array(47) },
      'ERR_OPTION_VALUE',
    ],
  ]
  for (const [what, tls, code] of rows) {
    test(`${what} is refused with ${code}`, () =>
      refuses(() => serve('tls://127.0.0.1:0', nothing, tls === undefined ? {} : untyped({ tls })), { code, says: [] }))
  }
})

suite('handlers', () => {
  const rows = [
    ['missing.mjs', 'ERR_HANDLER_MODULE', /no such file/],
    ['no-default.mjs', 'ERR_HANDLER_MODULE', /export default/],
    ['throws.mjs', 'ERR_HANDLER_MODULE', /thrown at import/],
    ['syntax.mjs', 'ERR_HANDLER_MODULE', /syntax\.mjs/],
    ['missing-import.mjs', 'ERR_HANDLER_MODULE', /nowhere/],
    ['not-a-handler.mjs', 'ERR_HANDLER', /StreamHandler/],
    ['wrong-class.mjs', 'ERR_HANDLER', /StreamHandler/],
  ] as const
  for (const [name, code, says] of rows) {
    for (const model of [undefined, threads({ size: 1 }), processes({ size: 1 })]) {
      test(`${name} is refused with ${code} under ${model?.kind ?? 'concurrent'}()`, { timeout: 30_000 }, () =>
        refuses(() => serve('tcp://127.0.0.1:0', bad.url(name), model === undefined ? {} : { model }), {
          code,
          says: [says],
        }),
      )
    }
  }
  test('a function cannot run in a worker, and the message says what can', () =>
    refuses(async () => new AnyStreamServer('tcp://127.0.0.1:0', nothing, { model: threads() }), {
      code: 'ERR_HANDLER',
      says: [/import\.meta\.url/],
    }))
  for (const model of [threads({ size: 1 }), processes({ size: 1 })]) {
    for (const scheme of ['tcp', 'udp']) {
      test(`data that cannot be cloned is refused under ${model.kind}() over ${scheme}`, () =>
        refuses(() => serve(`${scheme}://127.0.0.1:0`, bad.url('missing.mjs'), { model, data: { open: nothing } }), {
          code: 'ERR_OPTION_VALUE',
          says: [/"data"/, model.kind === 'threads' ? /threads\(\)/ : /processes\(\)/, /cloned/],
        }))
    }
  }
  test('what is no handler at all is refused', () =>
    refuses(() => serve('tcp://127.0.0.1:0', 'echo' as never), { code: 'ERR_HANDLER', says: [/string/] }))
  test('a server whose listen was refused can listen again once the address is free', async () => {
    const holder = await listen('tcp://127.0.0.1:0')
    const server = new AnyStreamServer(holder.endpoint, nothing)
    await refuses(() => server.listen(), { code: 'ERR_ADDRESS_IN_USE', says: [] })
    await holder.close()
    await server.listen()
    assert.equal(server.state, 'listening')
    await server.close()
  })
  test('a handler that throws ends its own connection, with a logged warning', { timeout: 30_000 }, async () => {
    const warnings: string[] = []
    const logger = {
      debug: nothing,
      info: nothing,
      error: nothing,
      warn: (message: string) => void warnings.push(message),
    }
    const server = await serve('tcp://127.0.0.1:0', bad.url('handler-throws.mjs'), { logger })
    for (let i = 0; i < 3; i += 1) {
      const client = await connect(server.endpoint)
      assert.equal(
        await within(
          'the end',
          client.read().catch(() => null),
        ),
        null,
      )
      client.destroy()
    }
    assert.equal(warnings.length, 3)
    await server.close()
  })
  test('an over-long line ends its own connection with ERR_LINE_LIMIT', { timeout: 30_000 }, async () => {
    const codes: unknown[] = []
    const note = (_message: string, fields?: Readonly<Record<string, unknown>>): void => {
      const error = fields?.['error']
      codes.push(error instanceof MoorageError ? error.code : error)
    }
    const logger = { debug: note, info: nothing, error: nothing, warn: note }
    const server = await serve('tcp://127.0.0.1:0', bad.url('lines.mjs'), { logger })
    const client = await connect(server.endpoint)
    await client.write(`${'x'.repeat(16)}\n${'x'.repeat(17)}\n`)
    assert.equal(await within('a line', client.readLine()), `${'x'.repeat(16)}\n`)
    assert.equal(
      await within(
        'the end',
        client.read().catch(() => null),
      ),
      null,
    )
    assert.deepEqual(codes, ['ERR_LINE_LIMIT'])
    client.destroy()
    await server.close()
  })
  test(
    'a bad PROXY header ends its own connection with ERR_PROXY_HEADER, and so does a proxy nobody trusts',
    { timeout: 30_000 },
    async () => {
      for (const [trustedProxies, header] of [
        [[], 'PROXY TCP4 not an address\r\n'],
        [[], 'GET / HTTP/1.1\r\n\r\n'],
        [['10.0.0.0/8'], 'PROXY TCP4 1.1.1.1 2.2.2.2 3 4\r\n'],
      ] as const) {
        const codes: unknown[] = []
        class Server extends AnyStreamServer {
          override handleError(error: unknown): void {
            codes.push(error instanceof MoorageError ? error.code : error)
          }
        }
        const server = new Server('tcp://127.0.0.1:0', nothing, { proxyProtocol: 'require', trustedProxies })
        await server.listen()
        const client = await connect(server.endpoint)
        await client.write(header)
        assert.equal(
          await within(
            'the end',
            client.read().catch(() => null),
          ),
          null,
        )
        assert.deepEqual(codes, ['ERR_PROXY_HEADER'])
        client.destroy()
        await server.close()
      }
    },
  )
})

after(() => rmSync(bad.folder, { recursive: true, force: true }))
