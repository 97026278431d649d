// The client that the suite's fuzzing server talks to: it asks for one case after the other and sends every message back.
import { connectWebSocket, type Message, type WebSocketClient } from 'moorage/websocket'
import { COMPRESSION, RAISED } from './limits.js'

const AGENT = 'moorage'

async function ask(url: string): Promise<Message | null> {
  await using client = await connectWebSocket(url, RAISED)
  return await client.receive()
}

async function askNumber(url: string): Promise<number> {
  const count = Number(await ask(url))
  if (!Number.isInteger(count)) throw new Error(`${url} did not say how many cases there are`)
  return count
}

/** @returns what went wrong before messages could be sent; '' for nothing. */
async function runCase(url: string): Promise<string> {
  let client: WebSocketClient
  try {
    client = await connectWebSocket(url, { ...RAISED, compression: COMPRESSION })
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
    const failure = await runCase(`${base}/runCase?case=${number}&agent=${AGENT}`)
    console.log(`${number} of ${count}${failure === '' ? '' : `: ${failure}`}`)
  }
  await ask(`${base}/updateReports?agent=${AGENT}`)
  console.log('all cases were run, and the reports are written')
}
