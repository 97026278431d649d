import { post } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
const response = await post(`${url}/login`, { form: { user: 'ann', password: 'a&b=c' }, timeoutMs: 10_000 })
console.log(response.status, await response.text())
