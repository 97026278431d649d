import { readFileSync } from 'node:fs'
import { serveHttp, text } from 'moorage/http'

const [port = '8443', certFile = '', keyFile = ''] = process.argv.slice(2)
const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) }

const server = await serveHttp(`https://127.0.0.1:${port}`, () => text('a secret\n'), { tls })
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
