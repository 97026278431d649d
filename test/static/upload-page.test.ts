import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, suite, test } from 'node:test'
import { chromium, type Browser, type Page } from 'playwright-core'
import { until } from '#src/testing/contract-row.js'
import { stopAll } from '../cli/_programs.js'
import { BreakingWay, digestOfFile, makeFile, NameWatch, type Cut } from './_cutting.js'

const CHROMIUM = '/usr/bin/chromium'
const MIB = 1024 * 1024
const SIZE = 256 * MIB
const WAIT_MS = 60_000
const TIMEOUT = { timeout: WAIT_MS, skip: existsSync(CHROMIUM) ? false : `${CHROMIUM} cannot be found here` }

const base = mkdtempSync(join(tmpdir(), 'moorage-page-'))
const root = join(base, 'root')
const source = join(base, 'big ü.bin')

suite('the page of a folder, in Chromium', { skip: TIMEOUT.skip }, () => {
  let browser: Browser
  let digest = ''
  let way: BreakingWay
  let page: Page
  const refused: string[] = []

  before(async () => {
    digest = await makeFile(source, SIZE)
    const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage']
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args })
  })
  beforeEach(() => {
    rmSync(root, { recursive: true, force: true })
    mkdirSync(root)
    refused.length = 0
  })
  afterEach(async () => {
    await page.context().close()
    await way.close()
    await stopAll()
  })
  after(async () => {
    await browser.close()
    rmSync(base, { recursive: true, force: true })
  })

  async function open(
    cuts: readonly { readonly afterBytes: number; readonly what: Cut }[],
    javaScriptEnabled: boolean = true,
  ): Promise<void> {
    way = await BreakingWay.open([root, '--upload'], cuts)
    page = await (await browser.newContext({ javaScriptEnabled })).newPage()
    page.setDefaultTimeout(WAIT_MS)
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text())
    })
    await page.goto(way.url)
  }

  test(
    'with script, cut five times, twice by kill -9 of the server: it goes on by itself and is equal',
    TIMEOUT,
    async () => {
      const kinds: readonly Cut[] = ['connection', 'server', 'connection', 'server', 'connection']
      await open(kinds.map((what, i) => ({ what, afterBytes: ((i + 1) * SIZE) / 6 })))
      const watch = new NameWatch(root, 'big ü.bin', [SIZE])
      try {
        await page.setInputFiles('input[type=file]', source)
        await page.keyboard.press('Tab')
        await page.getByRole('button', { name: 'Upload', exact: true }).press('Enter')
        const bar = page.getByRole('progressbar', { name: 'big ü.bin' })
        await bar.waitFor()
        // When it is there the page is loaded again, and lists it.
        await page.getByRole('link', { name: 'big ü.bin' }).waitFor()
        assert.equal(way.made, 5)
        assert.deepEqual([watch.wrong, watch.looks > 10, refused], [[], true, []])
        assert.equal(await digestOfFile(join(root, 'big ü.bin')), digest)
        assert.ok(way.sent < SIZE * 1.6, `${way.sent} bytes`)
      } finally {
        watch.stop()
      }
    },
  )
  test('with script, shows how far it is, and cancels: nothing is left', TIMEOUT, async () => {
    await open([{ what: 'flow', afterBytes: SIZE / 2 }])
    await page.setInputFiles('input[type=file]', source)
    await page.getByRole('button', { name: 'Upload', exact: true }).click()
    await until('the half of it', () => way.made === 1, WAIT_MS)
    const said = await page.locator('#uploads output').textContent()
    assert.match(said ?? '', /^\d+ %$/)
    await page.getByRole('button', { name: 'Cancel big ü.bin' }).click()
    await page.getByText('cancelled').waitFor()
    assert.deepEqual(readdirSync(root), [])
  })
  test('without script, sends several files and says what became of each', TIMEOUT, async () => {
    await open([], false)
    const small = join(base, 'small.txt')
    writeFileSync(small, 'small')
    writeFileSync(join(root, 'taken.txt'), 'the old one')
    const taken = join(base, 'taken.txt')
    writeFileSync(taken, 'the new one')
    await page.setInputFiles('input[type=file]', [source, small, taken])
    await page.getByRole('button', { name: 'Upload', exact: true }).click()
    await page.getByRole('heading', { name: 'Uploaded files' }).waitFor()
    const said = await page.locator('li').allTextContents()
    assert.deepEqual(
      said.map((text) => text.trim()),
      [
        'Received big ü.bin (256 MiB)',
        'Received small.txt (5 B)',
        'Not received taken.txt: A file with this name is there already',
      ],
    )
    assert.equal(await digestOfFile(join(root, 'big ü.bin')), digest)
    await page.getByRole('link', { name: 'Back to the folder' }).click()
    await page.getByRole('link', { name: 'small.txt' }).waitFor()
  })
})
