// Two pages in one game, in Chromium.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { replay } from '../../../examples/game/recording.js'
import { launchBrowser, noBrowser, untilInPage } from '../../fixtures/browser.js'
import { example } from '../../fixtures/example.js'
import { relayTo } from '../../fixtures/relay.js'

const TIMEOUT = { timeout: 120_000, skip: noBrowser }

async function enter(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url)
  await page.fill('#name', name)
  await page.click('#enter button')
  await untilInPage(page, 'game.follower.predicted?.ships[game.follower.own] !== undefined')
}

const own = (page: Page): Promise<number> => page.evaluate('game.follower.own')

/** The ship of this number, as a page was told it, or as it shows it ahead of that. */
const shipOf = (page: Page, number: number, state: 'view.state' | 'predicted'): Promise<string> =>
  page.evaluate(`(({ x, y, vx, vy }) => [x, y, vx, vy].join())(game.follower.${state}.ships[${number}])`)

test(
  'two pages see each other move, are shown ahead of the server, and end where the server says',
  TIMEOUT,
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'moorage-game-'))
    context.after(() => rmSync(folder, { recursive: true }))
    const record = join(folder, 'game.jsonl')
    const program = example(context, 'game/start', ['http://127.0.0.1:0', '--record', record])
    const http = await program.endpoint()
    const relay = await relayTo(http)
    const browser = await launchBrowser()
    const faults: string[] = []
    try {
      const [ann, bob] = [await browser.newPage(), await browser.newPage()]
      for (const page of [ann, bob]) {
        page.on('pageerror', (error) => faults.push(error.message))
        page.on('console', (message) => faults.push(message.text()))
      }
      await enter(ann, http, 'ann')
      await enter(bob, relay.server.endpoint.replace('tcp:', 'http:'), 'bob')
      for (const page of [ann, bob])
        await page.locator('#scores .name', { hasText: page === ann ? 'bob' : 'ann' }).waitFor()

      // Each steers, and the other sees it.
      for (const [page, other, key] of [
        [ann, bob, 'ArrowRight'],
        [bob, ann, 'KeyA'],
      ] as const) {
        const number = await own(page)
        const x = `game.follower.othersAt(performance.now()).get(${number}).x`
        const before: number = await other.evaluate(x)
        await page.keyboard.down(key)
        await untilInPage(other, `Math.abs(${x} - ${before}) > 60 * 64`)
        // The page is ahead of what it was told by the inputs that are under way.
        await untilInPage(page, 'game.follower.waitingInputs > 0')
        assert.notEqual(await shipOf(page, number, 'predicted'), await other.evaluate(`String(${before})`))
        await page.keyboard.up(key)
      }

      // When nothing moves any more, the page, what it was told, and what the other was told are one.
      for (const [page, other] of [
        [ann, bob],
        [bob, ann],
      ] as const) {
        const number = await own(page)
        const stands = `(({ vx, vy }) => vx === 0 && vy === 0)(game.follower.view.state.ships[${number}])`
        for (const each of [page, other]) await untilInPage(each, stands)
        const told = await shipOf(page, number, 'view.state')
        await untilInPage(
          page,
          `(({ x, y, vx, vy }) => [x, y, vx, vy].join())(game.follower.predicted.ships[${number}]) === '${told}'`,
        )
        assert.equal(await shipOf(other, number, 'view.state'), told)
      }
      for (const page of [ann, bob]) await page.locator('#latency', { hasText: /^[1-9]\d* ms$/ }).waitFor()
      assert.deepEqual(faults, [])

      // A page whose connection is lost comes again by itself.
      relay.cut()
      await bob.locator('#state', { hasText: 'lost' }).waitFor()
      await bob.locator('#state', { hasText: /^connected$/ }).waitFor()
      await untilInPage(bob, 'game.follower.predicted?.ships[game.follower.own] !== undefined')
      await bob.close()
      await relay.server.close({ graceMs: 100 })
      assert.deepEqual(await program.stop(), { code: 0, signal: null })

      // The same seed and inputs, once more: by the server, by the replay, and by the copy that the page has.
      let last
      for await (const replayed of replay(record, 300)) last = replayed
      assert.ok(last?.recorded !== undefined)
      const lines = readFileSync(record, 'utf8').trimEnd().split('\n').join(',')
      const inPage: string = await ann.evaluate(`(() => {
      const [{ seed }, ...entries] = [${lines}]
      const state = game.rules.createState(seed)
      for (const { tick, commands } of entries) {
        while (state.tick < tick - 1) game.rules.step(state, [])
        const unpacked = (commands ?? []).map(([type, ship, steer]) => ({ type, ship, steer }))
        if (state.tick < tick) game.rules.step(state, unpacked)
      }
      return game.rules.hash(state)
    })()`)
      assert.deepEqual([inPage, last.hash], [last.recorded, last.recorded])
    } finally {
      await browser.close()
    }
  },
)

test('a page on a telephone steers by touch', TIMEOUT, async (context) => {
  const program = example(context, 'game/start', ['http://127.0.0.1:0'])
  const http = await program.endpoint()
  const browser = await launchBrowser()
  try {
    const page = await browser.newPage({ viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true })
    await enter(page, http, 'cat')
    const touch = (type: string): Promise<unknown> =>
      page.evaluate(`document.getElementById('sea').dispatchEvent(
        new PointerEvent('${type}', { pointerId: 1, pointerType: 'touch', clientX: 195, clientY: 700 }))`)
    // Only pointers that the browser knows can be captured.
    await page.evaluate(`document.getElementById('sea').setPointerCapture = () => undefined`)
    await touch('pointerdown')
    await untilInPage(page, 'game.follower.view.state.ships[game.follower.own].vy > 200')
    await touch('pointerup')
    await untilInPage(page, 'game.follower.view.state.ships[game.follower.own].vy === 0')
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390)
    await page.tap('#dash')
    await untilInPage(page, 'game.follower.view.state.ships[game.follower.own].dash > 0')
  } finally {
    await browser.close()
  }
})
