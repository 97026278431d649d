// Takes what is uploaded, and keeps none of it.
import { serveHttp, text } from 'moorage/http'

const server = await serveHttp(
  'http://127.0.0.1:0',
  async ({ body }) => {
    let count = 0
    for await (const bytes of body ?? []) count += bytes.length
    return text(String(count))
  },
  { maxBodyBytes: Infinity },
)
console.log(server.local.kind === 'ip' ? server.local.port : 0)
