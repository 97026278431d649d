// A chat over TCP: `npm run example -- chat [endpoint]`, then `nc 127.0.0.1 7000` in several terminals.
import { serve } from 'moorage'
import Chat from './chat.js'

const server = await serve(process.argv[2] ?? 'tcp://127.0.0.1:7000', Chat)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
