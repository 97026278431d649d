// Downloads that were cut go on where they stood, with the programs that people use for it.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'
import { until } from '#src/testing/contract-row.js'
import { digestOfFile, makeFile } from '../static/_cutting.js'
import { missing, moorage, start, stopAll } from './_programs.js'

const SIZE = 20 * 1024 * 1024
const base = mkdtempSync(join(tmpdir(), 'moorage-resume-'))
const folder = join(base, 'served')
const out = join(base, 'big file.bin')
const sizeOfOut = (): number => statSync(out, { throwIfNoEntry: false })?.size ?? 0

const CLIENTS = [
  {
    program: 'wget',
    slowly: (url: string) => ['--limit-rate=4m', '-O', out, url],
    onwards: (url: string) => ['-c', '-O', out, url],
    saysPartial: /206 Partial Content/,
    saysDone: /416|nothing to do/,
  },
  {
    program: 'curl',
    slowly: (url: string) => ['-sS', '--limit-rate', '4m', '-o', out, url],
    onwards: (url: string) => ['-sS', '-C', '-', '-w', '%{http_code}', '-o', out, url],
    saysPartial: /206/,
    saysDone: /416/,
  },
] as const

suite('moorage serve', () => {
  let digest = ''
  before(async () => {
    mkdirSync(folder)
    digest = await makeFile(join(folder, 'big file.bin'), SIZE)
  })
  afterEach(async () => {
    await stopAll()
    rmSync(out)
  })
  after(() => rmSync(base, { recursive: true }))

  for (const { program, slowly, onwards, saysPartial, saysDone } of CLIENTS) {
    const skip = missing(program)
    test(`lets ${program} go on with a download that was killed`, { timeout: 60_000, skip }, async () => {
      const url = `${await moorage(['serve', folder, '--port', '0']).listening()}big%20file.bin`
      const killed = start(program, slowly(url))
      await until('a part of it', () => sizeOfOut() > SIZE / 10)
      await killed.stop()
      const part = sizeOfOut()
      assert.ok(part < SIZE, `${part} of ${SIZE} bytes`)

      const resumed = start(program, onwards(url))
      assert.equal(await resumed.ends(), 0, resumed.err)
      assert.match(resumed.out + resumed.err, saysPartial)
      assert.equal(await digestOfFile(out), digest)

      // What is whole is asked for from its end: there is nothing there, and nothing changes.
      const again = start(program, onwards(url))
      await again.ends()
      assert.match(again.out + again.err, saysDone)
      assert.equal(await digestOfFile(out), digest)
    })
  }
})
