import { processes, serve } from 'moorage'

// The processes are there before the connections, and each handles many; one that crashes is replaced.
const server = await serve(
  `tcp://127.0.0.1:${process.argv[2] ?? 9999}`,
  new URL('./shout.js', import.meta.url), // exports a handler by default
  { model: processes({ size: 2 }) },
)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
