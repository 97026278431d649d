import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Journal } from '../../../examples/crawler/journal.js'
import type { FetchRecord } from '../../../examples/crawler/record.js'
import { temporaryFolder } from './_watched-site.js'

const record = (url: string, more: Partial<FetchRecord> = {}): FetchRecord => ({
  url,
  at: 1,
  outcome: 'kept',
  status: 200,
  ...more,
})

test('Journal finds what was written, in this process and in the next', (context) => {
  const path = join(temporaryFolder(context), 'journal')
  const long = record('http://a.example/long', { links: Array.from({ length: 200_000 }, (_, i) => `/link/${i}`) })
  const records = [record('http://a.example/'), long, record('http://a.example/ü', { isUnchanged: true })]
  const first = new Journal(path)
  for (const one of records) first.append(one)
  for (const journal of [first, new Journal(path)]) {
    assert.equal(journal.size, 3)
    for (const one of [...records, ...records.toReversed()]) assert.deepEqual(journal.find(one.url), one)
    assert.equal(journal.find('http://a.example/other'), undefined)
    journal.close()
  }
})

test('Journal: of several lines of one URL the last counts', (context) => {
  const path = join(temporaryFolder(context), 'journal')
  for (const status of [503, 200]) {
    const journal = new Journal(path)
    journal.append(record('http://a.example/', { status }))
    journal.close()
  }
  const journal = new Journal(path)
  assert.equal(journal.find('http://a.example/')?.status, 200)
  assert.equal(journal.size, 1)
  journal.close()
})

test('Journal: a file that was cut at any place has the lines that are whole, and can be gone on with', (context) => {
  const path = join(temporaryFolder(context), 'journal')
  const urls = ['http://a.example/', 'http://a.example/ü']
  const whole = new Journal(path)
  for (const url of urls) whole.append(record(url))
  whole.end()
  whole.close()
  const bytes = readFileSync(path)
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    writeFileSync(path, bytes.subarray(0, cut))
    const lines = bytes.subarray(0, cut).toString().split('\n').length - 1
    const journal = new Journal(path)
    assert.equal(journal.size, Math.min(lines, 2), `cut at ${cut}`)
    assert.equal(journal.hasEnd, lines === 3)
    journal.append(record('http://a.example/more'))
    journal.close()
    const again = new Journal(path)
    assert.equal(again.size, Math.min(lines, 2) + 1)
    assert.equal(again.hasEnd, false)
    again.close()
  }
})

test('Journal: a line in the middle that is none is refused, and named', (context) => {
  const path = join(temporaryFolder(context), 'journal')
  for (const line of ['nonsense', '{"url":1}', '\0\0\0']) {
    writeFileSync(path, `${JSON.stringify(record('http://a.example/'))}\n`)
    appendFileSync(path, `${line}\n`)
    assert.throws(() => new Journal(path), { name: 'TypeError', message: /line 2/ })
  }
})
