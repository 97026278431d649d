import { get } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
const query = { word: 'Grüße & more', tag: ['a', 'b'], page: 2, left: undefined }
const response = await get(`${url}/search`, { query, timeoutMs: 10_000 })
console.log(await response.text())
