import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { text } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'
import { moorage, temporaryFolder } from './_moorage.js'

void suite('what nobody else is told', () => {
  const url = 'http://127.0.0.1:1/'
  const lines: readonly (readonly string[])[] = [
    ['get', '-a', 'SECRET\n', '--auth-type', 'bearer', url],
    ['get', '-H', 'Authorization: Bearer SECRET\nX: y', url],
    ['get', '-H', 'Authorization Bearer SECRET', url],
    ['get', url, 'Cookie:SECRET\x01'],
    ['get', url, 'Authorization Bearer SECRET'],
    ['post', url, 'password:=SECRET'],
    ['curl', '--oauth2-bearer', 'SECRET\n', url],
    ['why', '-a', 'SECRET\n', '--auth-type', 'bearer', url],
  ]
  for (const line of lines)
    void test(`moorage ${line.join(' ').replaceAll(/\p{Cc}/gu, '?')} is refused without its secret`, async () => {
      const [command = '', ...rest] = line
      const { code, out, err } = await moorage(command === 'curl' ? line : [command, '--verbose', ...rest])
      assert.notEqual(code, 0)
      assert.ok(err.length + out.length > 0)
      assert.doesNotMatch(out + err, /SECRET/)
    })

  void test('--session tells the credentials of one Unix socket to no other', async (t) => {
    const folder = await temporaryFolder(t)
    const env = { XDG_CONFIG_HOME: folder }
    const names = ['a+b.sock', 'a_b.sock'].map((name) => join(folder, name))
    for (const name of names) {
      const server = await serveHttp(`http+unix:${name}`, (request) =>
        text(request.headers.get('authorization') ?? 'nobody'),
      )
      t.after(() => server.close({ graceMs: 0 }))
    }
    const [here = '', there = ''] = names
    const get = async (socket: string, ...args: string[]): Promise<string> => {
      const { code, out, err } = await moorage(['get', ...args, `http+unix:${socket}:/`], '', env)
      assert.equal(code, 0, err)
      return out
    }
    const credentials = `Basic ${btoa('ann:secret')}`
    assert.equal(await get(here, '--session', 'one', '-a', 'ann:secret'), credentials)
    assert.equal(await get(here, '--session', 'one'), credentials)
    assert.equal(await get(there, '--session', 'one'), 'nobody')
    // Nor by a file of its own, nor what was kept when all sockets had one origin.
    const file = join(folder, 'kept.json')
    assert.equal(await get(here, '--session', file, '-a', 'ann:secret'), credentials)
    assert.equal(await get(there, '--session', file), 'nobody')
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"origin": "[^"]*"/, '"origin": "null"'))
    assert.equal(await get(here, '--session', file), 'nobody')
  })
})
