import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { Routes } from '#src/http/routes.js'
import { file } from '#src/static/files.js'
import { withCode } from '#src/testing/contract-row.js'
import { ask, bodyOf, fieldOf, serving, statusOf } from './_asking.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-file-'))
writeFileSync(join(folder, '.logo.svg'), '<svg/>')
writeFileSync(join(folder, 'other'), 'a secret')

suite('file', () => {
  after(() => rmSync(folder, { recursive: true }))

  test('is one file at whatever address, with its type, ranges and conditions', { timeout: 20_000 }, async () => {
    const routes = new Routes()
      .get('/logo', file(join(folder, '.logo.svg')))
      .get('/any/*', file(join(folder, '.logo.svg')))
      .get('/gone', file(join(folder, 'gone')))
    await serving(routes, async (server) => {
      const whole = await ask(server, '/logo')
      assert.deepEqual(
        [statusOf(whole), fieldOf(whole, 'Content-Type'), bodyOf(whole)],
        [200, 'image/svg+xml; charset=utf-8', '<svg/>'],
      )
      assert.equal(bodyOf(await ask(server, '/any/../other')), '<svg/>')
      assert.equal(bodyOf(await ask(server, '/any/other')), '<svg/>')
      assert.equal(bodyOf(await ask(server, '/logo', 'Range: bytes=1-3\r\n')), 'svg')
      const tag = fieldOf(whole, 'ETag') ?? ''
      assert.equal(statusOf(await ask(server, '/logo', `If-None-Match: ${tag}\r\n`)), 304)
      assert.equal(bodyOf(await ask(server, '/logo', '', 'HEAD')), '')
      assert.equal(statusOf(await ask(server, '/gone')), 404)
    })
  })

  test('refuses other methods, and a folder that is not there', { timeout: 20_000 }, async () => {
    assert.throws(() => file(join(folder, 'missing', 'x')), withCode('ERR_ARGUMENT'))
    await serving(file(join(folder, 'other')), async (server) => {
      const refused = await ask(server, '/', '', 'DELETE')
      assert.deepEqual([statusOf(refused), fieldOf(refused, 'Allow')], [405, 'GET, HEAD, OPTIONS'])
    })
  })
})
