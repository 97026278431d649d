import { get } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
const response = await get(`${url}/page`, { timeoutMs: 10_000 })
const content = await response.bytes()
const text = new TextDecoder('iso-8859-1').decode(content) // or response.text(), which finds the charset itself
console.log(response.status, response.ok ? 'True' : 'False', 'iso-8859-1')
console.log(response.headers.get('content-type'))
console.log(text)
console.log(content.length)
const history = response.history.map(({ status, headers }) => `(${status}, '${headers.get('location') ?? ''}')`)
console.log(`[${history.join(', ')}]`)
