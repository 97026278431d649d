// `npm run conformance -- serve [[host:]port]` and `npm run conformance -- connect ws://host:port`.
import { connectAll } from './connect.js'
import { serveEcho } from './serve.js'

const [what, where = what === 'serve' ? '9001' : ''] = process.argv.slice(2)
if (what === 'serve') await serveEcho(where.includes(':') ? where : `127.0.0.1:${where}`)
else if (what === 'connect' && where !== '') await connectAll(where.replace(/\/$/, ''))
else {
  console.error('usage: npm run conformance -- serve [[host:]port] | connect ws://host:port')
  process.exitCode = 2
}
