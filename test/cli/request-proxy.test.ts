import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { text } from '#src/http/index.js'
import { TestProxy } from '../fixtures/proxy.js'
import { moorage, serving, temporaryFolder } from './_moorage.js'

void suite('moorage get through a proxy that refuses', () => {
  void test('exits 13 with one line, and shows and saves nothing of the page of the proxy', async (t) => {
    const proxy = await TestProxy.start({ credentials: { user: 'me', password: 'right' } })
    t.after(() => proxy[Symbol.asyncDispose]())
    const url = await serving(t, () => text('of the server'))
    const by = (password: string): readonly string[] => ['-x', `http://me:${password}@127.0.0.1:${proxy.port}`]
    const folder = await temporaryFolder(t)
    for (const line of [
      ['get', ...by('SECRET'), url],
      ['get', ...by('SECRET'), '-o', join(folder, 'file'), url],
      ['post', ...by('SECRET'), '-o', join(folder, 'file'), url, 'a=1'],
    ]) {
      const { code, out, err } = await moorage(line)
      assert.equal(code, 13, err)
      assert.equal(out, '')
      assert.match(err, /^moorage: [^\n]*the proxy refuses: it answered 407[^\n]*right user and password[^\n]*\n$/)
      assert.doesNotMatch(err, /SECRET/)
    }
    assert.deepEqual(await readdir(folder), [])
  })
})
