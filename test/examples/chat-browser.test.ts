// Two pages and a terminal in one room: one page by a WebSocket, the other by server-sent events.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { connect } from 'moorage'
import { within } from '#src/testing/contract-row.js'
import { launchBrowser, noBrowser } from '../fixtures/browser.js'
import { example } from '../fixtures/example.js'
import { relayTo } from '../fixtures/relay.js'

const TIMEOUT = { timeout: 120_000, skip: noBrowser }

async function enter(page: Page, url: string, name: string, way: 'socket' | 'events'): Promise<void> {
  await page.goto(url)
  await page.fill('#name', name)
  await page.selectOption('#way', way)
  await page.click('#enter button')
  await page.locator('#room', { hasText: 'lobby' }).waitFor()
}

/** Waits until the page shows such a line. */
const shows = (page: Page, text: string): Promise<void> => page.locator('#log li', { hasText: text }).waitFor()

async function say(page: Page, text: string): Promise<void> {
  await page.fill('#line', text)
  await page.press('#line', 'Enter')
}

test(
  'two pages and a terminal talk in one room, and a page whose connection is lost misses nothing',
  TIMEOUT,
  async (context) => {
    const program = example(context, 'chat/start', ['tcp://127.0.0.1:0', 'http://127.0.0.1:0'])
    const tcp = await program.printed(/listening on (tcp:\S+)/)
    const http = await program.printed(/listening on (http:\S+)/)
    const relay = await relayTo(http)
    const browser = await launchBrowser()
    try {
      const [ann, bob] = [await browser.newPage(), await browser.newPage()]
      const faults: string[] = []
      for (const page of [ann, bob]) page.on('pageerror', (error) => faults.push(error.message))
      await enter(ann, relay.server.endpoint.replace('tcp:', 'http:'), 'ann', 'socket')
      await enter(bob, http, 'bob', 'events')
      await shows(ann, 'bob came')
      const carl = await connect(tcp)
      await within('the question', carl.readLine())
      await carl.write('carl\n')
      const heard = async (wanted: string): Promise<void> => {
        for (let line = ''; !line.includes(wanted);)
          line = (await within(wanted, carl.readLine())) ?? assert.fail(`the end before ${wanted}`)
      }
      await heard('you are in lobby, with ann, bob, carl')
      await say(ann, 'from a page by a WebSocket')
      await say(bob, 'from a page by events')
      await heard('bob: from a page by events')
      await carl.write('from a terminal <b>\n')
      for (const page of [ann, bob]) {
        await shows(page, 'from a page by a WebSocket')
        await shows(page, 'from a page by events')
        await shows(page, 'from a terminal <b>')
      }
      assert.deepEqual(await ann.$$eval('#members li', (items) => items.map((item) => item.textContent)), [
        'ann',
        'bob',
        'carl',
      ])
      // A connection that is lost: what is said meanwhile comes, once.
      relay.cut()
      await heard('ann left')
      await carl.write('while ann was away\n')
      await shows(ann, 'while ann was away')
      const count = await ann.$$eval(
        '#log li',
        (items) => items.filter((item) => item.textContent?.includes('while ann was away')).length,
      )
      assert.equal(count, 1)
      assert.deepEqual(faults, [])
      carl.destroy()
      await relay.server.close({ graceMs: 100 })
    } finally {
      await browser.close()
    }
    assert.deepEqual(await program.stop(), { code: 0, signal: null })
  },
)

const lines = (page: Page): Promise<(string | null)[]> =>
  page.$$eval('#log li', (items) => items.map((item) => item.firstChild?.nextSibling?.textContent ?? item.textContent))

test(
  'a page that comes back is who and where it was, also when the server has not noticed; and who leaves has left',
  TIMEOUT,
  async (context) => {
    const program = example(context, 'chat/start', ['tcp://127.0.0.1:0', 'http://127.0.0.1:0'])
    const tcp = await program.printed(/listening on (tcp:\S+)/)
    const http = await program.printed(/listening on (http:\S+)/)
    const relay = await relayTo(http)
    const browser = await launchBrowser()
    try {
      const carl = await connect(tcp)
      await carl.write('carl\n/join garden\n')
      const heard = async (wanted: string): Promise<void> => {
        for (let line = ''; !line.includes(wanted);)
          line = (await within(wanted, carl.readLine())) ?? assert.fail(`the end before ${wanted}`)
      }
      await heard('you are in garden')
      for (const way of ['socket', 'events'] as const) {
        const page = await browser.newPage()
        await enter(page, relay.server.endpoint.replace('tcp:', 'http:'), `ann-${way}`, way)
        await say(page, `${way} in the lobby`)
        await shows(page, `${way} in the lobby`)
        await say(page, '/join garden')
        await page.locator('#room', { hasText: 'garden' }).waitFor()
        await say(page, `/nick anna-${way}`)
        await heard(`now anna-${way}`)
        await carl.write(`before ${way}\n`)
        await shows(page, `before ${way}`)
        for (const cut of ['cut', 'cutNear'] as const) {
          relay[cut]()
          await heard(`anna-${way} left`)
          await carl.write(`${cut} ${way}\n`)
          await heard(`anna-${way} joined`)
          await shows(page, `${cut} ${way}`)
        }
        // Loaded anew it is the same person, and takes its name at once.
        await enter(page, relay.server.endpoint.replace('tcp:', 'http:'), `anna-${way}`, way)
        await say(page, '/join garden')
        await page.locator('#room', { hasText: 'garden' }).waitFor()
        const all = await lines(page)
        for (const line of [`before ${way}`, `cut ${way}`, `cutNear ${way}`])
          assert.equal(all.filter((text) => text?.trim() === line).length, 1, `${line}: ${all.join(' | ')}`)
        assert.ok(!all.some((line) => line?.includes('are lost')), all.join(' | '))
        // Somebody else with that name is told so.
        await say(page, '/join lobby')
        await page.locator('#room', { hasText: 'lobby' }).waitFor()
        const other = await browser.newPage()
        await other.goto(http)
        await other.fill('#name', `anna-${way}`)
        await other.selectOption('#way', way)
        await other.click('#enter button')
        await other.locator('#state', { hasText: 'the name is taken' }).waitFor()
        await other.close()
        await say(page, '/quit')
        await page.locator('#state', { hasText: 'you have left' }).waitFor()
        assert.equal(await page.isVisible('#line'), false)
        await other.close()
      }
      carl.destroy()
      await relay.server.close({ graceMs: 100 })
    } finally {
      await browser.close()
    }
    assert.deepEqual(await program.stop(), { code: 0, signal: null })
  },
)
