import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { listen } from '#src/transport/listen.js'
import { badHandlers } from '../fixtures/bad-handlers.js'
import { moorage, stopAll } from './_programs.js'

const bad = badHandlers()
const holder = await listen('tcp://127.0.0.1:0')
const echo = bad.path('echo.mjs')
const ANY = 'tcp://127.0.0.1:0'

const rows: readonly (readonly [args: readonly string[], code: number, ...says: RegExp[]])[] = [
  [[], 2, /Usage|moorage/],
  [['runn'], 2, /did you mean "run"/],
  [['run'], 2, /give a module/, /moorage run --help/],
  [['run', echo], 2, /endpoint/],
  [['run', echo, 'tcp://127.0.0.1'], 2, /port/],
  [['run', echo, 'tpc://127.0.0.1:1'], 2, /tcp/],
  [['run', echo, ANY, '--modle', 'threads'], 2, /did you mean --model/],
  [['run', echo, ANY, '--model', 'thread'], 2, /threads/],
  [['run', echo, ANY, '--size'], 2, /value/],
  [['run', echo, ANY, '--size', 'many'], 2, /many/],
  [['run', echo, ANY, '--size', '4'], 2, /--model threads/],
  [['run', echo, ANY, '--model', 'serial', '--accept', 'shared'], 2, /--model threads/],
  [['run', echo, ANY, '--max-connections', '-5'], 2, /max-connections/],
  [['run', echo, ANY, '--grace', 'soon'], 2, /soon/],
  [['run', echo, ANY, '--on-overload', 'drop'], 2, /wait or refuse/],
  [['run', bad.path('missing.mjs'), ANY], 2, /no such file/],
  [['run', bad.path('no-default.mjs'), ANY], 2, /export default/],
  [['run', bad.path('throws.mjs'), ANY], 2, /thrown at import.*throws\.mjs:\d/],
  [['run', bad.path('syntax.mjs'), ANY], 2, /syntax\.mjs/, /node --check/],
  [['run', bad.path('commonjs.js'), ANY], 2, /"type": "commonjs"/],
  [['run', bad.path('wrong-class.mjs'), ANY], 2, /StreamHandler/],
  [['run', bad.path('throws.mjs'), ANY, '--model', 'threads'], 2, /thrown at import.*throws\.mjs:\d/],
  [['run', bad.path('missing.mjs'), ANY, '--model', 'processes'], 2, /no such file/],
  [['run', echo, holder.endpoint], 1, /in use/],
  [['run', echo, `unix:${bad.folder}/${'x'.repeat(120)}`], 1, /107/],
  [['run', echo, 'tls://127.0.0.1:0', '--tls-cert', echo, '--tls-key', echo], 1, /certificate/],
  [['run', echo, 'tls://127.0.0.1:0', '--tls-cert', bad.path('missing.mjs'), '--tls-key', echo], 2, /missing\.mjs/],
  [['connect'], 2, /endpoint/],
  [['connect', 'tcp://127.0.0.1:1'], 1, /127\.0\.0\.1/],
  [['connect', '-z', 'tcp://127.0.0.1:1'], 1, /127\.0\.0\.1/],
  [['connect', '-Q', ANY], 2, /-Q/],
  [['connect', `unix:${join(bad.folder, 'nobody.sock')}`], 1, /nobody\.sock/],
  [['connect', 'http://127.0.0.1:1'], 2, /tcp/],
  [['connect', `${holder.endpoint}?apln=h2`], 2, /did you mean "alpn"/],
  [['connect', `${holder.endpoint}?toString=1`], 2, /"toString" is unknown/],
  [['listen', `${ANY}?toString=1`], 2, /"toString" is unknown/],
  [['listen', holder.endpoint], 1, /in use/],
  [['listen', ANY, ANY], 2, /one endpoint/],
  [['listen', 'http://127.0.0.1:0'], 2, /tcp:/],
  [['receive', 'udp://127.0.0.1:0'], 2, /connection is needed/],
  [['receive', 'http://127.0.0.1:0'], 2, /connection is needed/],
  [['send', echo, 'udp://127.0.0.1:1'], 2, /connection is needed/],
  [['send', bad.path('missing.mjs'), holder.endpoint], 2, /no such file/],
  [['help', 'conect'], 2, /did you mean "connect"/],
  [['listen', ANY, '--relay', 'tpc://127.0.0.1:1'], 2, /tcp/],
  [['listen', ANY, '--relay', 'udp://127.0.0.1:1'], 2, /--relay/, /expected tcp:/],
  [['run', echo, ANY, '--tls-client-ca', echo], 2, /--tls-client-ca without --tls/],
  [['listen', 'udp://127.0.0.1:0', '--relay', 'udp://127.0.0.1:1'], 2, /--relay/],
  [['connect', 'udp://127.0.0.1:1', '--exec', 'cat'], 2, /--exec/],
  [['connect', 'udp://127.0.0.1:1', '--ca', echo], 2, /--ca/],
  [['connect', ANY, '--exec', 'cat', '--relay', ANY], 2, /--exec/],
  [['connect', 'tls://127.0.0.1:1', '--cert', echo], 2, /give --key/],
  [['listen', ANY, '--ca', echo], 2, /--ca/],
  [['receive', ANY, '--ca', echo], 2, /--ca without --connect/],
  [['receive', ANY, '--connect', '--tls-cert', echo], 2, /--tls-cert with --connect/],
  [['send', echo, ANY, '--tls-client-ca', echo], 2, /--tls-client-ca without --listen/],
  [['send', echo, ANY, '--listen', '--insecure'], 2, /--insecure with --listen/],
  [['listen', ANY, '--keep-opne'], 2, /--keep-open/],
]

for (const [args, code, ...says] of rows) {
  const shown = args.map((argument) => argument.replace(bad.folder, '…').slice(0, 60)).join(' ')
  test(`moorage ${shown} says what is wrong and exits with ${code}`, { timeout: 30_000 }, async () => {
    const program = moorage(args)
    program.input.end()
    assert.equal(await program.ends(), code, program.err)
    const said = program.err + program.out
    for (const wanted of says) assert.match(said, wanted)
    assert.doesNotMatch(said, /^\s+at /m, 'a stack is for the author, not for whoever typed this')
    assert.doesNotMatch(said, /undefined|\[object|node:internal/)
  })
}

test('--json says the same as one object a line', { timeout: 30_000 }, async () => {
  const program = moorage(['run', echo, holder.endpoint, '--json'])
  assert.equal(await program.ends(), 1)
  const [line = ''] = program.err.trim().split('\n')
  const { level, code } = JSON.parse(line)
  assert.deepEqual([level, code], ['error', 'ERR_ADDRESS_IN_USE'])
})

test(
  'a handler that throws is one line of warning, without a stack, and the server goes on',
  { timeout: 30_000 },
  async () => {
    const program = moorage(['run', bad.path('handler-throws.mjs'), ANY])
    const endpoint = await program.listening()
    for (let i = 0; i < 2; i += 1) {
      const client = moorage(['connect', endpoint])
      client.input.end()
      await client.ends()
    }
    await program.says('thrown by the handler')
    assert.doesNotMatch(program.err, /^\s+at /m)
    program.child.kill('SIGTERM')
    assert.equal(await program.ends(), 0)
  },
)

afterEach(stopAll)
after(async () => {
  await holder.close()
  rmSync(bad.folder, { recursive: true, force: true })
})

test('moorage help <command> says the same as <command> --help', { timeout: 30_000 }, async () => {
  const [asked, option] = [moorage(['help', 'connect']), moorage(['connect', '--help'])]
  assert.deepEqual([await asked.ends(), await option.ends()], [0, 0])
  assert.match(asked.out, /usage: moorage connect/)
  assert.equal(asked.out, option.out)
})
