import { serveHttp } from 'moorage/http'
import { files } from 'moorage/static'

const [port = '8000', folder = '.'] = process.argv.slice(2)
const server = await serveHttp(`http://127.0.0.1:${port}`, files(folder))
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
