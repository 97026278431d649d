// `node client-npm.mjs <kind> <url> <connections> <milliseconds>`: so many GETs at a time, each body read as text. Prints
// how many there were, and what CPU each took.
import { once } from 'node:events'

const [kind, url, connections, milliseconds] = process.argv.slice(2)

const clients = {
  async undici() {
    const { Agent, request } = await import('undici')
    const dispatcher = new Agent({ connections: Number(connections) })
    return async () => (await request(url, { dispatcher })).body.text()
  },
  async fetch() {
    return async () => (await fetch(url)).text()
  },
  async http() {
    const { Agent, get } = await import('node:http')
    const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) })
    return async () => {
      const [response] = await once(get(url, { agent }), 'response')
      let text = ''
      response.setEncoding('utf8')
      for await (const piece of response) text += piece
      return text
    }
  },
  async axios() {
    const { Agent } = await import('node:http')
    const { default: axios } = await import('axios')
    const httpAgent = new Agent({ keepAlive: true, maxSockets: Number(connections) })
    return async () => (await axios.get(url, { httpAgent, responseType: 'text' })).data
  },
  async got() {
    const { Agent } = await import('node:http')
    const { default: got } = await import('got')
    const agent = { http: new Agent({ keepAlive: true, maxSockets: Number(connections) }) }
    return () => got(url, { agent }).text()
  },
  async ky() {
    const { default: ky } = await import('ky')
    return () => ky(url).text()
  },
}

const one = await clients[kind]()

async function run(ms) {
  const until = performance.now() + ms
  let count = 0
  const loop = async () => {
    while (performance.now() < until) {
      if ((await one()).length !== 1024) throw new Error('the body is not what it should be')
      count += 1
    }
  }
  await Promise.all(Array.from({ length: Number(connections) }, loop))
  return count
}

await run(Number(milliseconds) / 2)
const [cpu, began] = [process.cpuUsage(), performance.now()]
const messages = await run(Number(milliseconds))
const { user, system } = process.cpuUsage(cpu)
const seconds = (performance.now() - began) / 1000
console.log(JSON.stringify({ messages, seconds, userUs: user / messages, systemUs: system / messages }))
process.exit()
