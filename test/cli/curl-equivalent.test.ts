import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { text } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'
import { missing } from './_programs.js'
import { moorage, temporaryFolder } from './_moorage.js'

void suite('--curl', () => {
  void test('says all that curl has, and warns of what it has not', async () => {
    const url = 'https://127.0.0.1:1/x'
    const rows: readonly (readonly [given: readonly string[], line: string, warned?: RegExp])[] = [
      [['--cert', 'c.pem', '--key', 'k.pem'], '-L --cert c.pem --key k.pem'],
      [['--retry', '4', '--connect-timeout', '3', '--proxy', 'none'], "-L --noproxy '*' --connect-timeout 3 --retry 4"],
      [['--max-redirects', '2', '--fail', '-i'], '-L --max-redirs 2 --fail-with-body -i'],
      [['-o', 'file'], '-L -o file -f'],
      [['--alpn', 'http/1.1', '--ca', 'ca.pem', '--insecure'], '-L -k --cacert ca.pem --http1.1'],
      [['--alpn', 'spdy/3'], '-L', /--alpn/],
      [['--session', 'one'], '-L', /--session/],
      [['--har', 'h.har', '--timing', '--pretty'], '-L', /--har[^]*--timing[^]*--pretty/],
      [['-b', 'jar.json'], '-L', /JSON/],
      [['-i', '-o', 'file'], '-L -o file -f', /--include/],
      [['--server-name', 'a', '--digest', 'sha-256=x', '--resume'], '-L', /--server-name[^]*--resume[^]*--digest/],
    ]
    for (const [given, line, warned = /^$/] of rows) {
      const { code, out, err } = await moorage(['get', url, '--curl', ...given])
      assert.deepEqual([code, out], [0, `curl ${line} ${url}\n`], err)
      assert.match(err, warned)
    }
    const { err } = await moorage(['get', url, '--curl'], '', { MOORAGE_AUTH: 'me:SECRET' })
    assert.match(err, /credentials of MOORAGE_AUTH/)
    assert.doesNotMatch(err, /SECRET/)
  })

  void test('of a Unix socket is a line that curl runs', { skip: missing('curl') }, async (t) => {
    const folder = await temporaryFolder(t)
    const server = await serveHttp(`http+unix:${folder}/a.sock`, ({ target }) => text(target))
    t.after(() => server.close({ graceMs: 0 }))
    await writeFile(
      join(folder, 'line'),
      (await moorage(['get', '--curl', `http+unix:${folder}/a.sock:/x`, 'a==1'])).out,
    )
    const ran = await ended('sh', join(folder, 'line'))
    assert.equal(ran, '/x?a=1')
  })
})

/** What it prints; the server of the test answers it meanwhile. */
async function ended(command: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 10_000 })
  let out = ''
  child.stdout.on('data', (bytes) => (out += String(bytes)))
  await once(child, 'close')
  return out
}
