import assert from 'node:assert/strict'
import { mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, suite, test } from 'node:test'
import { readAllText } from '#src/testing/connection-pair.js'
import { until, within } from '#src/testing/contract-row.js'
import { bindDatagram } from '#src/transport/datagrams.js'
import { connect } from '#src/transport/connect.js'
import { tryLoadNative } from '#src/transport/node/native.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { missing, moorage, portOf, start, stopAll, type Program } from './_programs.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-run-'))
const { cert, key } = await localhostCertificate()
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const tls = ['--tls-cert', file('cert.pem', cert), '--tls-key', file('key.pem', key)]
const echo = file(
  'echo.mjs',
  `export default async (it) => {
    if ('reply' in it) return it.reply(it.data)
    for await (const bytes of it) await it.write(bytes)
  }\n`,
)
const addon = tryLoadNative() === undefined ? 'the addon is not built' : false
const stripsTypes = 'typescript' in process.features && process.features.typescript !== false
const TIMEOUT = { timeout: 40_000 }
const ANY = 'tcp://127.0.0.1:0'

async function echoes(endpoint: string, text = 'hello\n'): Promise<void> {
  const client = await connect(endpoint, endpoint.startsWith('tls:') ? { tls: { ca: cert } } : {})
  await client.write(text)
  await client.closeWrite()
  assert.equal(await within('an echo', readAllText(client)), text)
  await client.close()
}

async function stops(program: Program, signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
  program.child.kill(signal)
  assert.equal(await program.ends(), 0, program.err)
}

suite('moorage run', () => {
  for (const model of ['serial', 'concurrent', 'threads', 'processes']) {
    test(`serves every transport at once under ${model}, and ends in order at SIGTERM`, TIMEOUT, async () => {
      const unix = `unix:${join(folder, `${model}.sock`)}`
      const endpoints = [ANY, 'tls://127.0.0.1:0', unix, 'udp://127.0.0.1:0']
      const program = moorage(['run', echo, ...endpoints, '--model', model, ...tls])
      await until('all to listen', () => program.out.split('\n').length > endpoints.length)
      const shown = [...program.out.matchAll(/^listening on (\S+)$/gm)].map(([, endpoint = '']) => endpoint)
      assert.deepEqual(
        shown.map((endpoint) => endpoint.split(':')[0]),
        ['tcp', 'tls', 'unix', 'udp'],
      )
      for (const endpoint of shown.slice(0, 3)) await echoes(endpoint)
      await stops(program, model === 'serial' ? 'SIGINT' : 'SIGTERM')
    })
  }

  test(
    'is answered to by nc, socat, openssl and python3',
    { ...TIMEOUT, skip: missing('nc', 'socat', 'openssl', 'python3') },
    async () => {
      const path = join(folder, 'others.sock')
      const program = moorage(['run', echo, ANY, 'tls://127.0.0.1:0', `unix:${path}`, 'udp://127.0.0.1:0', ...tls])
      await until('all to listen', () => program.out.split('\n').length > 4)
      const [tcp = '', secured = '', , udp = ''] = [...program.out.matchAll(/:(\d+|\/[^/\s]\S*)$/gm)].map(
        ([, port]) => port ?? '',
      )
      const python = `import socket
s = socket.create_connection(('127.0.0.1', ${tcp})); s.sendall(b'hello\\n'); s.shutdown(socket.SHUT_WR); print(s.recv(100).decode(), end='')
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(10); u.sendto(b'datagram\\n', ('127.0.0.1', ${udp})); print(u.recv(100).decode(), end='')`
      const rows: readonly (readonly [command: string, args: readonly string[], heard: string])[] = [
        ['nc', ['-N', '127.0.0.1', tcp], 'hello\n'],
        ['nc', ['-N', '-U', path], 'hello\n'],
        ['socat', ['-t', '5', 'STDIO', `TCP:127.0.0.1:${tcp}`], 'hello\n'],
        ['socat', ['-t', '5', 'STDIO', `UNIX-CONNECT:${path}`], 'hello\n'],
        ['python3', ['-c', python], 'hello\ndatagram\n'],
      ]
      for (const [command, args, heard] of rows) {
        const peer = start(command, args)
        peer.input.end('hello\n')
        await peer.ends()
        assert.equal(peer.out, heard, `${command} ${args.join(' ')}: ${peer.err}`)
      }
      const openssl = start('openssl', ['s_client', '-connect', `127.0.0.1:${secured}`, '-quiet'])
      openssl.input.write('hello\n')
      await openssl.says('hello\n')
    },
  )

  test('a session of openssl s_client -reconnect resumes', { ...TIMEOUT, skip: missing('openssl') }, async () => {
    const program = moorage(['run', echo, 'tls://127.0.0.1:0', ...tls])
    const port = portOf(await program.listening())
    const peer = start('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-reconnect', '-tls1_2', '-no_ign_eof'])
    peer.input.end('Q\n')
    await peer.ends()
    assert.equal(peer.out.match(/^New, TLSv1\.2/gm)?.length, 1, peer.err)
    assert.equal(peer.out.match(/^Reused, TLSv1\.2/gm)?.length, 5)
  })

  test('keeps to --max-connections and --on-overload', TIMEOUT, async () => {
    const program = moorage(['run', echo, ANY, '--max-connections', '1', '--on-overload', 'refuse'])
    const endpoint = await program.listening()
    const first = await connect(endpoint)
    await first.write('x')
    assert.equal((await first.read())?.length, 1)
    const second = await connect(endpoint)
    assert.equal(
      await within(
        'the end',
        second.read().catch(() => null),
      ),
      null,
    )
    first.destroy()
    second.destroy()
    await program.says('refused')
  })

  test('starts again when a file beside the module changes, with --watch', TIMEOUT, async () => {
    const watched = mkdtempSync(join(folder, 'watched-'))
    const path = join(watched, 'handler.mjs')
    const say = (what: string): void =>
      writeFileSync(path, `export default (connection) => connection.write('${what}')\n`)
    say('before')
    const program = moorage(['run', path, ANY, '--watch'])
    const heard = async (): Promise<string> => {
      const endpoint = [...program.out.matchAll(/listening on (\S+)/g)].at(-1)?.[1] ?? ''
      const client = await connect(endpoint)
      const text = await readAllText(client)
      await client.close()
      return text
    }
    await program.listening()
    assert.equal(await heard(), 'before')
    say('after')
    await until('the new one', () => [...program.out.matchAll(/listening on/g)].length === 2)
    assert.equal(await heard(), 'after')
    program.child.kill('SIGTERM')
    assert.equal(await program.ends(), 0, program.err)
  })

  test(
    'runs a TypeScript module',
    { ...TIMEOUT, skip: stripsTypes ? false : 'this Node.js does not strip types' },
    async () => {
      const typed = file(
        'typed.ts',
        `type Told = { write(text: string): Promise<void> }
export default async (connection: Told): Promise<void> => connection.write('typed')\n`,
      )
      for (const model of ['concurrent', 'threads', 'processes']) {
        const program = moorage(['run', typed, ANY, '--model', model])
        const client = await connect(await program.listening())
        assert.equal(await readAllText(client), 'typed')
        await client.close()
        await stops(program)
      }
    },
  )

  test(
    'refuses a TypeScript module where nothing strips types, naming both ways',
    { ...TIMEOUT, skip: stripsTypes && 'this Node.js strips types' },
    async () => {
      const program = moorage(['run', file('untyped.ts', 'export default () => undefined\n'), ANY])
      assert.equal(await program.ends(), 2)
      assert.match(program.err, /22\.18/)
      assert.match(program.err, /amaro/)
    },
  )

  test(
    'listens on an inherited descriptor, fd:3',
    { ...TIMEOUT, skip: process.platform !== 'linux' && 'descriptors are tried on Linux' },
    async () => {
      const server = createServer()
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
      const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      const program = moorage(['run', echo, 'fd:3'], { third: fd })
      assert.equal(portOf(await program.listening()), String(address.port))
      server.close()
      await echoes(`tcp://127.0.0.1:${address.port}`)
      await stops(program)
    },
  )

  test('refuses a descriptor that is no socket', TIMEOUT, async () => {
    const descriptor = openSync(echo, 'r')
    const program = moorage(['run', echo, 'fd:3'], { third: descriptor })
    assert.equal(await program.ends(), 1, program.err)
    assert.match(program.err, /fd:3/)
    closeSync(descriptor)
  })

  test('tells systemd that it is ready, and that it is stopping', { ...TIMEOUT, skip: addon }, async () => {
    const path = join(folder, 'notify.sock')
    const notify = await bindDatagram(`unixgram:${path}`)
    const heard: string[] = []
    notify.sinkTo((data) => void heard.push(Buffer.from(data).toString()))
    const program = moorage(['run', echo, ANY], { env: { NOTIFY_SOCKET: path } })
    await program.listening()
    await until('READY', () => heard.includes('READY=1'))
    await stops(program)
    await until('STOPPING', () => heard.includes('STOPPING=1'))
    assert.deepEqual(
      heard.filter((text) => text !== 'WATCHDOG=1'),
      ['READY=1', 'STOPPING=1'],
    )
    await notify.close()
  })

  test('a second Ctrl-C ends it at once', TIMEOUT, async () => {
    const program = moorage([
      'run',
      file('forever.mjs', 'export default () => new Promise(() => setInterval(() => undefined, 9e5))\n'),
      ANY,
    ])
    const client = await connect(await program.listening())
    await client.write('x')
    program.child.kill('SIGINT')
    await program.says('press Ctrl-C again')
    program.child.kill('SIGINT')
    assert.equal(await program.ends(), 130)
    client.destroy()
  })
})

test('moorage --version and --help say so on stdout', TIMEOUT, async () => {
  const version = moorage(['--version'])
  assert.equal(await version.ends(), 0)
  assert.match(version.out, /^moorage \d+\.\d+\.\d+/)
  for (const args of [['--help'], ['run', '--help'], ['connect', '-h'], ['listen', '--help']]) {
    const help = moorage(args)
    assert.equal(await help.ends(), 0)
    assert.match(help.out, /moorage/)
    assert.equal(help.err, '')
  }
})

afterEach(stopAll)
after(() => rmSync(folder, { recursive: true, force: true }))
