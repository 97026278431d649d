import { get } from 'moorage/client'

const [url = 'http://127.0.0.1:8000', proxy = 'http://user:password@127.0.0.1:3128'] = process.argv.slice(2)
const response = await get(`${url}/behind`, { proxy, timeoutMs: 10_000 })
console.log(response.status, await response.text())
