import { filePart, post } from 'moorage/client'

const [url = 'http://127.0.0.1:8000', path = 'notes.txt'] = process.argv.slice(2)
const document = filePart(path, { name: 'notes.txt', type: 'text/plain' }) // streamed: a file of any size
const response = await post(`${url}/upload`, { multipart: { title: 'Notes', document }, timeoutMs: 10_000 })
console.log(response.status, await response.text())
