import { get, Session } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
await using session = new Session({ timeoutMs: 10_000 })
await session.get(`${url}/login?user=ann`)
console.log((await session.cookies?.cookieHeader(url))?.replace('session=', ''))
console.log(await (await session.get(`${url}/account`)).text())
console.log(await (await get(`${url}/account`, { headers: { cookie: 'session=given' } })).text())
