import { threads } from 'moorage'
import { serveHttp } from 'moorage/http'

// A slow client holds up nobody without threads either: they are for handlers that compute.
const server = await serveHttp(
  `http://127.0.0.1:${process.argv[2] ?? 8000}`,
  new URL('./greeter.js', import.meta.url), // exports a handler by default
  { model: threads({ size: 2 }) },
)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
