// The client that the suite's fuzzing server talks to: it asks for one case after the other and sends every message back.
import { connectWebSocket, type Message, type WebSocketClient } from 'moorage/websocket'
import { COMPRESSION, RAISED } from './limits.js'

const AGENT = 'moorage'
/** In these cases the suite's server demands a client that keeps nothing, which only a client that says so is told. */
const FORGETFUL = /^13\.[256]\./

async function ask(url: string): Promise<Message | null> {
  await using client = await connectWebSocket(url, RAISED)
  return await client.receive()
}

async function askNumber(url: string): Promise<number> {
  const count = Number(await ask(url))
  if (!Number.isInteger(count)) throw new Error(`${url} did not say how many cases there are`)
  return count
}

/** The suite's number of a case: `13.2.1`. */
async function idOf(url: string): Promise<string> {
  const told: unknown = JSON.parse(String(await ask(url)))
  return typeof told === 'object' && told !== null && 'id' in told ? String(told.id) : ''
}

/** @returns what went wrong before messages could be sent; '' for nothing. */
async function runCase(url: string, contextTakeover: boolean): Promise<string> {
  let client: WebSocketClient
  try {
    client = await connectWebSocket(url, { ...RAISED, compression: { ...COMPRESSION, contextTakeover } })
  } catch (error) {
    return String(error)
  }
  for await (const message of client) await client.send(message)
  await client.closed
  return ''
}

export async function connectAll(base: string): Promise<void> {
  const count = await askNumber(`${base}/getCaseCount`)
  for (let number = 1; number <= count; number += 1) {
    const id = await idOf(`${base}/getCaseInfo?case=${number}`)
    const failure = await runCase(`${base}/runCase?case=${number}&agent=${AGENT}`, !FORGETFUL.test(id))
    console.log(`${number} of ${count}: ${id} ${failure}`)
  }
  await ask(`${base}/updateReports?agent=${AGENT}`)
  console.log('all cases were run, and the reports are written')
}
