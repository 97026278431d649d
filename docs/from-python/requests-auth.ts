import { basic, digest, get } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
console.log((await get(`${url}/basic`, { timeoutMs: 10_000 })).status)
console.log(await (await get(`${url}/basic`, { auth: basic('ann', 'secret'), timeoutMs: 10_000 })).text())
console.log(await (await get(`${url}/digest`, { auth: digest('ann', 'secret'), timeoutMs: 10_000 })).text())
