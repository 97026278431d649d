import { serve, threads } from 'moorage'

// Each thread handles many connections: a pool, and not a thread for each. Without `model` it is one event loop.
const server = await serve(
  `tcp://127.0.0.1:${process.argv[2] ?? 9999}`,
  new URL('./shout.js', import.meta.url), // exports a handler by default
  { model: threads({ size: 2 }) },
)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
