import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { formatStep } from '#src/cli/why-words.js'
import type { DiagnosisStep } from '#src/client/index.js'
import { redirect, text } from '#src/http/index.js'
import { run } from '../client/_faults.js'
import { certificate } from '../client/_certificates.js'
import { securing } from '../client/_faulty-servers.js'
import { serving } from '../client/_servers.js'

void suite('moorage why', () => {
  void test('shows each step in a line, and exits with 0 when all is well', async (t) => {
    const url = await serving(t, ({ path }) => (path === '/' ? redirect('/new') : text('hello')))
    const { code, out, err } = await run(['why', url.replace('http://', 'http://me:hunter2@')])
    assert.equal(code, 0, err)
    const lines = out.trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => line.slice(0, 11).trimEnd()),
      ['✓ url', '· proxy', '· resolve', '✓ route', '✓ connect', '· tunnel', '· tls', '✓ http', '✓ body', '· websocket'],
    )
    assert.match(lines[7] ?? '', /200 OK .*, over 1 redirect, at http:\/\/127\.0\.0\.1:\d+\/new/)
    assert.ok(!(out + err).includes('hunter2') && !out.includes('\u001b'))
  })

  void test('a host and port are a URL of http:, and -q tells nothing where nothing is wrong', async (t) => {
    const url = await serving(t, () => text('hello'))
    const { code, out, err } = await run(['why', '-q', url.replace('http://', '')])
    assert.deepEqual([code, out, err], [0, '', ''])
  })

  void test('says where and why it fails, what to do, and no more behind that', async (t) => {
    const { cert, key } = await certificate()
    const url = await securing(t, { cert, key })
    const { code, out } = await run(['why', url])
    assert.equal(code, 12)
    assert.match(
      out,
      /\n✗ tls +the certificate is refused: it is signed by itself .*\n {12}→ the certificate is signed by itself: give the certificate of its authority with --ca\n$/,
    )
    assert.match((await run(['get', url])).err, /with --ca\n$/)
    assert.match((await run(['curl', '-sS', url])).err, /with --cacert\n$/)
    assert.match((await run(['why', '--insecure', url])).out, /leave --insecure away/)
    const more = await run(['why', '--insecure', '-v', url])
    assert.equal(more.code, 0)
    assert.match(more.out, /\n! tls +TLSv1\.\d.*not verified: it is signed by itself/)
    assert.match(more.out, /\n {12}certificate: \{"subject":"CN=localhost"/)
  })

  void test('a wrong line is refused, and nothing is done', async () => {
    for (const args of [[], ['http://127.0.0.1:1/', 'more'], ['http://127.0.0.1:1/', '--websockets']]) {
      const { code, out, err } = await run(['why', ...args])
      assert.deepEqual([code, out], [2, ''], err)
    }
  })

  void test('formatStep colours the mark, and lets no control character of a server through', () => {
    const step: DiagnosisStep = {
      name: 'http',
      outcome: 'failed',
      elapsedMs: 12.4,
      summary: 'the server answered 404 \u001b[2J',
      facts: {},
      error: undefined,
      suggestion: 'check the path',
    }
    assert.equal(
      formatStep(step, false),
      '✗ http      the server answered 404 ?[2J  (12 ms)\n            → check the path',
    )
    assert.ok(formatStep(step, true).startsWith('\u001b[31m✗\u001b[39m http'))
  })
})
