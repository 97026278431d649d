// npm run bench -- https [rounds]: "Hello, world!" over TLS 1.3 and 64 connections that are kept, one request under way on
// each. The handshakes are not measured: they are made before the requests.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureCertificate } from 'moorage/certificate'
import { compile, interleave, measure, report, ROOT, startTarget, type Target } from './harness.js'
import { has, startNginx } from './nginx.js'

const rounds = Number(process.argv[2] ?? 7)
const load = compile('load/http-load.c', ['-DWITH_TLS', '-lssl', '-lcrypto'])
if (load === undefined) {
  console.log('nothing was measured: the load program needs a C compiler and the headers of OpenSSL (libssl-dev)')
  process.exit(0)
}
const folder = mkdtempSync(join(tmpdir(), 'moorage-bench-'))
await ensureCertificate(folder)
const peer = (file: string): string => join(ROOT, 'bench/peers', file)

const started: Promise<Target>[] = [
  startTarget('node:https', process.execPath, [peer('https-node.mjs'), folder]),
  startTarget('moorage', process.execPath, [join(ROOT, '.build/bench/servers.js'), 'https', folder]),
  startTarget('node:tls, heads not read', process.execPath, [peer('https-tls.mjs'), folder]),
]
const go = compile('peers/https-go.go')
if (go !== undefined) started.push(startTarget('Go net/http', go, [folder]))
if (has('nginx')) {
  const inServer = `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem; ssl_protocols TLSv1.3;
    location / { default_type "text/plain; charset=utf-8"; return 200 "Hello, world!\\n"; }`
  started.push(startNginx(folder, inServer, 'ssl'))
}
const bun = peer('node_modules/.bin/bun')
if (existsSync(bun)) started.push(startTarget('Bun', bun, [peer('https-bun.mjs'), folder]))

const targets = await Promise.all(started)
try {
  const samples = await interleave(targets, rounds, (target) =>
    measure(target, load, ['127.0.0.1', String(target.port), '64', '1000', '1', '/']),
  )
  console.log(report('HTTPS (TLS 1.3), 64 connections', samples))
} finally {
  await Promise.all(targets.map((target) => target.stop()))
  rmSync(folder, { recursive: true, force: true })
}
