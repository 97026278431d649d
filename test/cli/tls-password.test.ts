import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, suite, test } from 'node:test'
import { localhostCertificate } from '../fixtures/certificates.js'
import { missing, moorage, start, stopAll } from './_programs.js'

const TIMEOUT = { timeout: 30_000, skip: missing('curl') }
const folder = mkdtempSync(join(tmpdir(), 'moorage-password-'))
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const PASSWORD = 'correct: hörse '
const { cert, key } = await localhostCertificate()
const encrypted = (type: 'pkcs8' | 'sec1'): string =>
  createPrivateKey(key).export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD }).toString()
const certificate = file('cert.pem', cert)
const plainKey = file('plain.pem', key)
const password = file('password', `${PASSWORD}\n`)
file('hello.txt', 'hello\n')

suite('--tls-password-file', () => {
  afterEach(stopAll)
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const [type, model] of [
    ['pkcs8', 'concurrent'],
    ['sec1', 'concurrent'],
    ['pkcs8', 'threads'],
    ['pkcs8', 'processes'],
  ] as const) {
    test(`moorage serve opens an encrypted key (${type}) under ${model}`, TIMEOUT, async () => {
      const tls = ['--tls-cert', certificate, '--tls-key', file(`${type}.pem`, encrypted(type))]
      const given = [...tls, '--tls-password-file', password, '--model', model]
      const url = await moorage(['serve', folder, '--port', '0', '--name', 'localhost', ...given]).listening()
      const asked = start('curl', ['-sS', '--cacert', certificate, `${url.replace('127.0.0.1', 'localhost')}hello.txt`])
      assert.equal(await asked.ends(), 0, asked.err)
      assert.equal(asked.out, 'hello\n')
    })
  }

  const key8 = file('key8.pem', encrypted('pkcs8'))
  const pair = ['--tls-cert', certificate, '--tls-key', key8]
  const wrong: readonly (readonly [name: string, options: readonly string[], says: RegExp])[] = [
    ['an encrypted key without a password', pair, /encrypted; give --tls-password-file/],
    ['another password', [...pair, '--tls-password-file', file('other', 'another')], /does not open it/],
    ['an empty file', [...pair, '--tls-password-file', file('empty', '\n')], /one line/],
    ['two lines', [...pair, '--tls-password-file', file('two', `${PASSWORD}\nmore\n`)], /one line/],
    ['a file that is not there', [...pair, '--tls-password-file', join(folder, 'none')], /tls-password-file .*ENOENT/],
    ['no key', ['--tls', '--tls-password-file', password], /alone/],
    [
      'a key that is not encrypted',
      ['--tls-cert', certificate, '--tls-key', plainKey, '--tls-password-file', password],
      /not encrypted/,
    ],
  ]
  for (const [name, options, says] of wrong) {
    test(`${name} is refused in one line, without the password`, TIMEOUT, async () => {
      const program = moorage(['serve', folder, '--port', '0', ...options])
      assert.equal(await program.ends(), 2, program.err)
      assert.match(program.err, says)
      assert.ok(!program.err.includes('correct'))
    })
  }
})
