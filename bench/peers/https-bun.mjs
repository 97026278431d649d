// Run by Bun: https-bun.mjs <folder of cert.pem and key.pem>.
import { join } from 'node:path'

const [folder] = process.argv.slice(2)
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  tls: { cert: Bun.file(join(folder, 'cert.pem')), key: Bun.file(join(folder, 'key.pem')) },
  fetch: () => new Response('Hello, world!\n', { headers: { 'Content-Type': 'text/plain; charset=utf-8' } }),
})
console.log(server.port)
