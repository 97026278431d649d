import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page, type Response } from 'playwright-core'
import { until } from '#src/testing/contract-row.js'
import { moorage, stopAll } from '../cli/_programs.js'
import { toWebm } from './_film.js'

const CHROMIUM = '/usr/bin/chromium'
const WAIT_MS = 60_000
const [WIDTH, HEIGHT, SECONDS] = [320, 180, 60]
const PADDING = 1024 * 1024
/** How much redder the picture is each second. */
const RED_STEP = 4

interface Seen {
  readonly at: number
  readonly red: number
}

const folder = mkdtempSync(join(tmpdir(), 'moorage-film-'))

suite('a film, in Chromium', { skip: existsSync(CHROMIUM) ? false : `${CHROMIUM} cannot be found here` }, () => {
  let browser: Browser
  let page: Page
  let film: Buffer

  before(async () => {
    const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage']
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args })
    page = await browser.newPage()
    page.setDefaultTimeout(WAIT_MS)
    await page.addInitScript({
      path: fileURLToPath(new URL('../../../test/fixtures/clients/film.js', import.meta.url)),
    })
    await page.goto('about:blank')
    const drawing = `drawPictures(${WIDTH}, ${HEIGHT}, ${SECONDS}, ${RED_STEP})`
    const pictures: readonly string[] = await page.evaluate(drawing)
    const decoded = pictures.map((text) => Buffer.from(text, 'base64'))
    film = toWebm({ width: WIDTH, height: HEIGHT, pictures: decoded, padding: PADDING })
    writeFileSync(join(folder, 'film.webm'), film)
  })
  after(async () => {
    await browser.close()
    await stopAll()
    rmSync(folder, { recursive: true })
  })

  test('moorage serve lets it seek to its end and its middle by ranges', { timeout: WAIT_MS }, async () => {
    const answers: Response[] = []
    page.on('response', (response) => {
      if (response.request().headers()['range'] !== undefined) answers.push(response)
    })
    await page.goto(await moorage(['serve', folder, '--port', '0']).listening())
    await page.getByRole('link', { name: 'film.webm' }).click()
    await page.waitForURL(/film\.webm$/)
    assert.equal(await page.evaluate('openFilm()'), SECONDS)

    for (const second of [SECONDS - 2, SECONDS / 2]) {
      const before = answers.length
      const { at, red }: Seen = await page.evaluate(`seek(${second})`)
      assert.equal(at, second)
      assert.ok(Math.abs(red / RED_STEP - second) < 1.5, `the picture of second ${red / RED_STEP}, not of ${second}`)
      const place = (film.length * second) / SECONDS
      const isNear = (answer: Response): boolean => Math.abs(firstOf(answer) - place) < film.length / 6
      await until(`a range from about ${place}`, () => answers.slice(before).some(isNear))
    }
    for (const answer of answers) {
      assert.equal(answer.status(), 206)
      assert.equal(answer.headers()['content-range'], `bytes ${firstOf(answer)}-${film.length - 1}/${film.length}`)
      assert.equal(answer.headers()['content-type'], 'video/webm')
    }
  })
})

/** Where the bytes begin that were asked for: a player asks for all behind them. */
const firstOf = (response: Response): number =>
  Number(/^bytes=(\d+)-$/.exec(response.request().headers()['range'] ?? '')?.[1])
