// `node bulk-load.js disk|nowhere|upload <url> <file>`: what bench/peers/bulk-npm.mjs does, with ours.
import { filePart, get, Session } from 'moorage/client'

const [job = 'disk', url = '', file = ''] = process.argv.slice(2)
await using session = new Session()

switch (job) {
  case 'disk':
    await session.download(url, file)
    break
  case 'nowhere':
    for await (const _bytes of await get(url));
    break
  default:
    await (await session.post(url, { multipart: { file: filePart(file) } })).text()
}
