import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test, type TestContext } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { errorCodeOf } from '#src/base/errors.js'
import { connect } from '#src/transport/connect.js'
import { listen } from '#src/transport/listen.js'
import type { Listener } from '#src/transport/listener.js'
import { localhostCertificate } from '../../fixtures/certificates.js'
import { Program } from '../../fixtures/program.js'

const DANTED = '/usr/sbin/danted'
const TINYPROXY = '/usr/bin/tinyproxy'
const skipWithout = (program: string): string | false =>
  existsSync(program) ? false : `${program} cannot be found here`

const folder = mkdtempSync(join(tmpdir(), 'moorage-tunnel-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const { cert, key } = await localhostCertificate()

async function freePort(): Promise<number> {
  const listener = await listen('tcp://127.0.0.1:0')
  await listener.close()
  return Number(/\d+$/.exec(listener.endpoint)?.[0])
}

/** These programs take no port 0: one that was free a moment ago can be taken, and then another is tried. */
async function startProxy(
  t: TestContext,
  program: string,
  argsFor: (configuration: string) => readonly string[],
  configurationFor: (port: number) => string,
): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    const port = await freePort()
    const file = join(folder, `${port}.conf`)
    writeFileSync(file, configurationFor(port))
    const running = new Program(t, program, argsFor(file))
    const isGone = running.exited.then(() => true)
    while (!(await Promise.race([isGone, answers(port)]))) continue
    if (await answers(port)) return port
    if (tries === 4) throw new Error(`${program} does not start:\n${running.stdout}${running.stderr}`)
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    await (await connect(`tcp://127.0.0.1:${port}`)).close()
    return true
  } catch (error) {
    if (errorCodeOf(error) !== 'ERR_CONNECT') throw error
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 10)
    })
    return false
  }
}

/** What a connection through the proxy sends comes back from the target; over TLS the certificate is checked. */
async function checkEcho(proxy: string, listener: Listener, host: string): Promise<void> {
  const isTls = listener.endpoint.startsWith('tls:')
  const port = /\d+$/.exec(listener.endpoint)?.[0] ?? ''
  const connecting = connect(`${isTls ? 'tls' : 'tcp'}://${host}:${port}`, {
    proxy,
    ...(isTls ? { tls: { ca: cert } } : {}),
  })
  const serving = (async () => {
    const server = await within('a connection', listener.accept())
    assert.ok(server !== null)
    for await (const bytes of server) await server.write(bytes)
    await server.close()
  })()
  const client = await connecting
  await client.write('through\n')
  assert.equal(await within('the echo', client.readLine()), 'through\n')
  await client.closeWrite()
  assert.equal(await within('the end', client.read()), null, 'half-close goes through')
  await serving
  await client.close()
}

async function checkBothTargets(t: TestContext, proxy: string, host = 'localhost'): Promise<void> {
  const plain = await listen('tcp://127.0.0.1:0')
  const secured = await listen('tls://127.0.0.1:0', { tls: { cert, key } })
  t.after(() => Promise.all([plain.close(), secured.close()]))
  await checkEcho(proxy, plain, host)
  await checkEcho(proxy, secured, host)
}

const dantedArgs = (file: string): string[] => ['-f', file, '-p', `${file}.pid`, '-N', '1']
const danted =
  (method: string) =>
  (port: number): string =>
    [
      'logoutput: stderr',
      `internal: 127.0.0.1 port = ${port}`,
      'external: 127.0.0.1',
      `socksmethod: ${method}`,
      'clientmethod: none',
      'user.privileged: root',
      'user.unprivileged: nobody',
      'client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }',
      'socks block { from: 127.0.0.0/8 to: 127.0.0.9/32 }',
      'socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: connect }',
      '',
    ].join('\n')

suite('a tunnel through danted', { skip: skipWithout(DANTED), timeout: 60_000 }, () => {
  test('carries TCP and TLS in every version of SOCKS', async (t) => {
    const port = await startProxy(t, DANTED, dantedArgs, danted('none'))
    for (const scheme of ['socks4', 'socks5', 'socks5h']) await checkBothTargets(t, `${scheme}://127.0.0.1:${port}`)
    // It takes the name of SOCKS4a for an address, and connects to 0.0.0.1: curl fails with it, too.
    await checkBothTargets(t, `socks4a://127.0.0.1:${port}`, '127.0.0.1')
  })

  test('is refused as its rules and its targets say', async (t) => {
    const port = await startProxy(t, DANTED, dantedArgs, danted('none'))
    const proxy = `socks5h://127.0.0.1:${port}`
    const closed = await freePort()
    const refusal = async (target: string, reply: number): Promise<void> => {
      await assert.rejects(connect(target, { proxy }), (error: Error & { code?: string; details?: unknown }) => {
        assert.equal(error.code, 'ERR_TUNNEL_REFUSED')
        assert.equal((error.details as { reply: number }).reply, reply, error.message)
        return true
      })
    }
    await refusal(`tcp://127.0.0.1:${closed}`, 5)
    await refusal(`tcp://127.0.0.9:${closed}`, 2)
  })

  test('wants credentials where it is told to', async (t) => {
    const port = await startProxy(t, DANTED, dantedArgs, danted('username'))
    for (const credentials of ['', 'nobody-here:wrong@']) {
      const proxy = `socks5h://${credentials}127.0.0.1:${port}`
      await assert.rejects(connect('tcp://127.0.0.1:9', { proxy }), { code: 'ERR_PROXY_AUTH' })
    }
  })
})

suite('a tunnel through tinyproxy', { skip: skipWithout(TINYPROXY), timeout: 60_000 }, () => {
  const tinyproxyArgs = (file: string): string[] => ['-d', '-c', file]
  const tinyproxy = (port: number): string =>
    [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 60', 'MaxClients 20', 'BasicAuth ada s3cret', ''].join('\n')

  test('carries TCP and TLS with the right password, and is refused with a wrong one', async (t) => {
    const port = await startProxy(t, TINYPROXY, tinyproxyArgs, tinyproxy)
    await checkBothTargets(t, `http://ada:s3cret@127.0.0.1:${port}`, '127.0.0.1')
    for (const credentials of ['', 'ada:wrong@']) {
      const proxy = `http://${credentials}127.0.0.1:${port}`
      await assert.rejects(connect('tcp://127.0.0.1:9', { proxy }), (error: Error & { code?: string }) => {
        assert.match(String(error.code), /^ERR_(?:PROXY_AUTH|TUNNEL_REFUSED)$/, error.message)
        return true
      })
    }
  })

  test('is refused where its target does not answer', async (t) => {
    const port = await startProxy(t, TINYPROXY, tinyproxyArgs, tinyproxy)
    const proxy = `http://ada:s3cret@127.0.0.1:${port}`
    await assert.rejects(connect(`tcp://127.0.0.1:${await freePort()}`, { proxy }), { code: 'ERR_TUNNEL_REFUSED' })
  })
})
