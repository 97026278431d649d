// `node scripts/pictures.mjs`: takes the pictures of the listing page anew, light and dark, from a made-up folder.
import { mkdirSync, mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { root, setUp } from './setup.mjs'

setUp()
const { chromium } = await import('playwright-core')
const { serveHttp } = await import('../dist/http/index.js')
const { files } = await import('../dist/static/index.js')

const ENTRIES = [
  ['charts/', '2026-05-15T18:22Z'],
  ['letters & notes/', '2026-04-12T16:23Z'],
  ['photos/', '2026-07-10T10:21Z'],
  ['README.md', '2026-02-17T11:24Z', 4_213],
  ['crew.json', '2026-04-16T12:20Z', 9_421],
  ['leaving port.mp4', '2026-08-11T13:21Z', 734_003_200],
  ['logbook.csv', '2026-08-12T07:41Z', 88_100],
  ['lighthouse.jpg', '2026-05-18T17:26Z', 5_242_880],
  ['tides-2026.pdf', '2026-01-03T09:05Z', 1_873_221],
]

const base = mkdtempSync(join(tmpdir(), 'moorage-pictures-'))
mkdirSync(join(base, 'harbour'))
for (const [name, changed, bytes] of ENTRIES) {
  const path = join(base, 'harbour', name)
  if (bytes === undefined) mkdirSync(path)
  else {
    writeFileSync(path, '')
    truncateSync(path, bytes)
  }
  utimesSync(path, new Date(changed), new Date(changed))
}

const server = await serveHttp('http://127.0.0.1:0', files(base))
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
try {
  for (const colorScheme of ['light', 'dark']) await takePicture(colorScheme)
} finally {
  await browser.close()
  await server.close()
  rmSync(base, { recursive: true })
}

async function takePicture(colorScheme) {
  const viewport = { width: 720, height: 100 }
  const context = await browser.newContext({ colorScheme, deviceScaleFactor: 2, viewport, timezoneId: 'UTC' })
  const page = await context.newPage()
  await page.goto(`${server.endpoint}/harbour/`)
  const shot = await page.screenshot({ fullPage: true })
  const blank = await browser.newPage()
  const { width, height, pixels } = await blank.evaluate(pixelsOf, shot.toString('base64'))
  const path = join(root, 'docs', `listing-${colorScheme}.png`)
  const png = encodePalette(width, height, Buffer.from(pixels, 'base64'))
  writeFileSync(path, png)
  console.log(`${path}: ${width} × ${height}, ${png.length} bytes`)
}

/** Runs in the browser, which can read its own PNG. */
async function pixelsOf(base64) {
  const blob = await (await fetch(`data:image/png;base64,${base64}`)).blob()
  const image = await createImageBitmap(blob)
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, image.width, image.height)
  let text = ''
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192))
  return { width: image.width, height: image.height, pixels: btoa(text) }
}

/** A page of words and lines has few colours: as a palette it is a third of what the browser writes. */
function encodePalette(width, height, pixels) {
  const counts = new Map()
  const colorAt = (pixel) => pixels.readUIntBE(pixel * 4, 3)
  for (let pixel = 0; pixel < width * height; pixel += 1)
    counts.set(colorAt(pixel), (counts.get(colorAt(pixel)) ?? 0) + 1)
  const byCount = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a))
  const kept = byCount.slice(0, 256)
  const palette = new Map(byCount.map((color) => [color, nearest(color, kept)]))
  const rows = Buffer.alloc((width + 1) * height)
  for (let pixel = 0; pixel < width * height; pixel += 1)
    rows[pixel + Math.floor(pixel / width) + 1] = palette.get(colorAt(pixel))
  const colors = Buffer.alloc(kept.length * 3)
  for (const [index, color] of kept.entries()) colors.writeUIntBE(color, index * 3, 3)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const data = deflateSync(rows, { level: 9, memLevel: 9 })
  return Buffer.concat([signature, chunk('IHDR', header), chunk('PLTE', colors), chunk('IDAT', data), chunk('IEND')])
}

/** The index of a colour, or of the one that is closest to it: rare shades at the edges of letters. */
function nearest(color, kept) {
  const distance = (other) =>
    [16, 8, 0].reduce((sum, by) => sum + (((color >> by) & 255) - ((other >> by) & 255)) ** 2, 0)
  const closest = kept.reduce((best, other) => (distance(other) < distance(best) ? other : best))
  return kept.indexOf(closest)
}

function chunk(type, data = Buffer.alloc(0)) {
  const named = Buffer.concat([Buffer.from(type), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(named), 4)
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)])
}
