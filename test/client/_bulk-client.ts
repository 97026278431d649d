// `node _bulk-client.js download|upload <url> <file>`: one large body; prints how much memory it took at most, in KiB.
import { filePart, Session } from 'moorage/client'

const [job = '', url = '', file = ''] = process.argv.slice(2)
const session = new Session({ proxy: false })
if (job === 'download') await session.download(url, file)
else (await session.post(url, { multipart: { file: filePart(file) } })).raiseForStatus().discard()
console.log(`took ${process.resourceUsage().maxRSS}`)
session.destroy()
