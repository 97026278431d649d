// `node client-load.js session|request <url> <connections> <milliseconds>`: what bench/peers/client-npm.mjs does, with ours.
import { request, Session } from 'moorage/client'

const [kind = 'session', url = '', connections = '64', milliseconds = '1000'] = process.argv.slice(2)
const session = new Session({ maxConnectionsPerOrigin: Number(connections) })
const one = kind === 'session' ? async () => (await session.get(url)).text() : async () => (await request(url)).text()

async function run(ms: number): Promise<number> {
  const until = performance.now() + ms
  let count = 0
  const loop = async (): Promise<void> => {
    while (performance.now() < until) {
      if ((await one()).length !== 1024) throw new Error('the body is not what it should be')
      count += 1
    }
  }
  await Promise.all(Array.from({ length: Number(connections) }, loop))
  return count
}

await run(Number(milliseconds) / 2)
const cpu = process.cpuUsage()
const began = performance.now()
const messages = await run(Number(milliseconds))
const { user, system } = process.cpuUsage(cpu)
const seconds = (performance.now() - began) / 1000
console.log(JSON.stringify({ messages, seconds, userUs: user / messages, systemUs: system / messages }))
process.exit()
