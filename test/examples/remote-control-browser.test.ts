// The page of remote control in Chromium, and its WebSocket without a page.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { connectWebSocket, type WebSocketClientOptions } from 'moorage/websocket'
import { until, within } from '#src/testing/contract-row.js'
import { launchBrowser, noBrowser } from '../fixtures/browser.js'
import { isAlive, start, TOKEN, type Answer } from './_remote-control.js'

const TIMEOUT = { timeout: 120_000, skip: noBrowser }

async function enter(page: Page, url: string, token: string): Promise<void> {
  await page.goto(url)
  await page.fill('#token', token)
  await page.click('#enter button')
}

async function run(page: Page, command: string, ...args: readonly string[]): Promise<void> {
  const form = page.locator(`[data-command=${command}]`)
  for (const [index, value] of args.entries()) await form.locator('input').nth(index).fill(value)
  await form.locator('button:enabled').click()
}

test(
  'the page runs commands one after the other, shows output and exit codes, and stops what runs',
  TIMEOUT,
  async (context) => {
    const { pageUrl, audit, auditLog } = await start(context, { page: true })
    const browser = await launchBrowser()
    try {
      const page = await browser.newPage({ ignoreHTTPSErrors: true })
      const faults: string[] = []
      const urls: string[] = []
      page.on('pageerror', (error) => faults.push(error.message))
      page.on('request', (request) => urls.push(request.url()))
      page.on('websocket', (socket) => urls.push(socket.url()))
      await enter(page, pageUrl, TOKEN)
      await page.locator('#state', { hasText: /^connected$/ }).waitFor()
      const runs = page.locator('#runs article')

      await run(page, 'greet', 'ann')
      await runs.nth(0).locator('.status', { hasText: 'exit code 0' }).waitFor()
      assert.equal(await runs.nth(0).locator('.stdout').textContent(), 'hello ann\n')
      await run(page, 'mixed')
      await runs.nth(1).locator('.status', { hasText: 'exit code 7' }).waitFor()
      assert.equal(await runs.nth(1).locator('.stdout').textContent(), 'out\n')
      assert.equal(await runs.nth(1).locator('.stderr').textContent(), 'err\n')

      // What terminals obey is only shown.
      await run(page, 'tricks')
      await runs.nth(2).locator('.status', { hasText: 'exit code 0' }).waitFor()
      assert.equal(
        await runs.nth(2).locator('pre').textContent(),
        'red ␛]0;title␇ over␍written \\u202edesrever <b>bold</b>\n',
      )

      // Stopping ends the program, and another can run.
      await run(page, 'wait')
      await runs.nth(3).locator('.stdout').waitFor()
      const pid = Number(await runs.nth(3).locator('.stdout').textContent())
      assert.ok(isAlive(pid))
      await page.click('#stop')
      await until('the end of the program', () => !isAlive(pid))
      assert.equal(await runs.nth(3).locator('.status').textContent(), 'stopped')
      await run(page, 'greet', 'bob')
      await runs.nth(4).locator('.status', { hasText: 'exit code 0' }).waitFor()

      // So does leaving.
      await run(page, 'wait')
      await runs.nth(5).locator('.stdout').waitFor()
      const other = Number(await runs.nth(5).locator('.stdout').textContent())
      assert.ok(isAlive(other))
      await page.close()
      await until('the end of the program', () => !isAlive(other))
      await until('the entry', () => audit().filter(({ why }) => why === 'the client left').length === 2)

      assert.deepEqual(faults, [])
      for (const url of urls) assert.ok(!url.includes(encodeURIComponent(TOKEN)) && !url.includes('token='), url)
      assert.ok(!readFileSync(auditLog, 'utf8').includes(TOKEN))
    } finally {
      await browser.close()
    }
  },
)

test(
  'the page refuses a wrong token, behind a delay, and runs nothing that is not on the list',
  TIMEOUT,
  async (context) => {
    const { pageUrl, audit, folder } = await start(context, { page: true })
    const browser = await launchBrowser()
    try {
      const page = await browser.newPage({ ignoreHTTPSErrors: true })
      await enter(page, pageUrl, `${TOKEN}!`)
      await page.locator('#state', { hasText: 'neither a right token' }).waitFor()
      await page.fill('#token', TOKEN)
      await page.click('#enter button')
      await page.locator('#state', { hasText: /^connected$/ }).waitFor()
      // What the form would not send is refused by the server all the same.
      await page.evaluate(`document.querySelector('[data-command=greet] input').removeAttribute('pattern')`)
      await run(page, 'greet', 'ann; touch x')
      await page.locator('#runs .failed', { hasText: 'not of the allowed form' }).waitFor()
      const told = await page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket(location.href.replace('https', 'wss') + 'socket')
      socket.onopen = () => socket.send(${JSON.stringify(JSON.stringify({ token: TOKEN }))})
      socket.onmessage = ({ data }) => {
        const answer = JSON.parse(data)
        if (answer.commands === undefined) resolve(answer)
        else socket.send('{"command":"rm","args":["-rf"]}')
      }
    })`)
      assert.deepEqual(told, { error: 'the command "rm" is not on the list' })
      assert.ok(!existsSync(join(folder, 'x')))
      const events = audit().map(({ event, command }) => `${String(event)} ${String(command)}`)
      assert.deepEqual(events, ['refused undefined', 'refused greet', 'refused rm'])
    } finally {
      await browser.close()
    }
  },
)

async function open(context: Parameters<typeof start>[0], options: WebSocketClientOptions = {}) {
  const started = await start(context, { page: true })
  const url = `${started.pageUrl.replace('https:', 'wss:')}/socket`
  const { tls, ...rest } = options
  const socket = await connectWebSocket(url, { tls: { ca: started.cert, ...tls }, ...rest })
  context.after(() => socket.destroy())
  const hear = async (): Promise<Answer & { readonly commands?: readonly { readonly name: string }[] }> => {
    const message = await within('an answer', socket.receive())
    assert.ok(typeof message === 'string')
    return JSON.parse(message) as Answer
  }
  const send = (message: unknown): Promise<boolean> => socket.send(JSON.stringify(message))
  return { ...started, url, socket, hear, send }
}

for (const [name, first] of [
  ['a wrong token', JSON.stringify({ token: `${TOKEN}!` })],
  ['no token', '{}'],
  ['no JSON', 'hello'],
  ['a token that is no text', '{"token":[]}'],
] as const) {
  test(`the WebSocket of remote control is refused with ${name}: a second later, and closed with 1008`, async (context) => {
    const { socket, hear, audit } = await open(context)
    const startMs = performance.now()
    await socket.send(first)
    assert.match((await hear()).error ?? '', /neither a right token/)
    assert.ok(performance.now() - startMs > 900)
    assert.equal((await within('the end', socket.closed)).code, 1008)
    assert.deepEqual(
      audit().map(({ event }) => event),
      ['refused'],
    )
  })
}

test('the WebSocket of remote control needs no token of a client with a verified certificate', async (context) => {
  const started = await start(context, { page: true })
  const { cert, key, pageUrl, audit } = started
  const socket = await connectWebSocket(`${pageUrl.replace('https:', 'wss:')}/socket`, { tls: { ca: cert, cert, key } })
  await socket.send('{}')
  const listed = JSON.parse(String(await within('the list', socket.receive()))) as { readonly commands: unknown[] }
  assert.deepEqual(listed.commands[0], { name: 'greet', parameters: ['[a-z]+'] })
  await socket.send(JSON.stringify({ command: 'greet', args: ['ann'] }))
  await within('output', socket.receive())
  assert.deepEqual(JSON.parse(String(await within('the end', socket.receive()))), { exit: 0, signal: null })
  await socket.close()
  assert.equal(typeof audit()[0]?.['who'], 'string')
})

test('the WebSocket of remote control runs one command at a time, and has the limits of the list', async (context) => {
  const { hear, send, audit, socket } = await open(context)
  await send({ token: TOKEN })
  await hear()
  await send({ command: 'wait' })
  const { data = '' } = await hear()
  const pid = Number(Buffer.from(data, 'base64').toString())
  await send({ command: 'greet', args: ['ann'] })
  assert.match((await hear()).error ?? '', /one at a time/)
  assert.match((await hear()).error ?? '', /time limit/)
  assert.ok(!isAlive(pid))
  await send({ command: 'flood' })
  for (;;) {
    const { error } = await hear()
    if (error === undefined) continue
    assert.match(error, /output limit/)
    break
  }
  assert.equal(audit().at(-1)?.['event'], 'ended')
  await socket.send('x'.repeat(64 * 1024 + 1))
  assert.equal((await within('the end', socket.closed)).code, 1009)
})

test('the WebSocket of remote control is closed to pages of other sites, and to more than sixteen', async (context) => {
  const { url, cert } = await open(context)
  const connect = (options: WebSocketClientOptions) => connectWebSocket(url, { tls: { ca: cert }, ...options })
  await assert.rejects(connect({ headers: { Origin: 'https://example.com' } }), { code: 'ERR_WEBSOCKET_HANDSHAKE' })
  const sockets = []
  for (let count = 1; count < 16; count += 1) sockets.push(await connect({}))
  await assert.rejects(connect({}), { code: 'ERR_WEBSOCKET_HANDSHAKE' })
  for (const socket of sockets) socket.destroy()
})
