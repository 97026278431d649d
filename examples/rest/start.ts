// A REST service: `npm run example -- rest [endpoint]`, or `moorage run .build/examples/rest/rest.js http://127.0.0.1:8001`.
import { serveHttp } from 'moorage/http'
import rest from './rest.js'

const server = await serveHttp(process.argv[2] ?? 'http://127.0.0.1:8001', rest)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
