import { Session } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
const userAgent = ['Reader/1.0', 'Reader/2.0', 'Reader/3.0'] // one of them for each request, by chance
await using session = new Session({ userAgent, timeoutMs: 10_000 })
const seen = new Set<string>()
for (let i = 0; i < 60; i += 1) seen.add(await (await session.get(`${url}/agent`)).text())
console.log([...seen].sort().join() === userAgent.join() ? 'True' : 'False')
