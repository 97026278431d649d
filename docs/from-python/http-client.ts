import { request } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
const first = await request(`${url}/hello?name=Ann`, { headers: { 'X-Own': 'yes' }, timeoutMs: 10_000 })
console.log(first.status, first.reason)
console.log(first.headers.get('Content-Type'))
console.log(await first.text())
const second = await request(`${url}/notes/1`, {
  method: 'PUT',
  body: 'kept',
  headers: { 'Content-Type': 'text/plain' },
})
console.log(second.status, await second.text())
