// `npm run fuzz -- http1 [inputs] [seed]`: the HTTP/1 engine against llhttp, on mutated requests of the wire tables. Ends
// with 1 when a request was read that llhttp refuses or reads in another way, and nothing explains it.
// `npm run fuzz -- websocket [inputs] [seed]`: the WebSocket engine against the receiver of ws, on mutated streams of frames.
// Ends with 1 when the two read a stream in two ways, or refuse it with two codes, and nothing explains it.
// `npm run fuzz -- paths [seconds] [seed]`: made up paths against a server of files, while links and folders are swapped
// under it. Ends with 1 when one was answered with a byte of what lies outside of the folder, or is hidden, or failed.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, setUp } from './setup.mjs'

const SUBJECTS = {
  http1: { amount: '1000000', unit: 'inputs', run: fuzzHttp1 },
  websocket: { amount: '1000000', unit: 'inputs', run: fuzzWebSocket },
  paths: { amount: '60', unit: 'seconds', run: fuzzPaths },
}
const [subject = '', amount = SUBJECTS[subject]?.amount, seed = String(Date.now() % 1_000_000)] = process.argv.slice(2)
if (!Object.hasOwn(SUBJECTS, subject) || !/^\d+$/.test(amount) || !/^\d+$/.test(seed)) {
  console.error('usage: npm run fuzz -- http1 [inputs] [seed] | websocket [inputs] [seed] | paths [seconds] [seed]')
  process.exit(2)
}
setUp({ tests: true })
const { unit, run } = SUBJECTS[subject]
console.log(`fuzz ${subject}: ${amount} ${unit}, seed ${seed}`)
const findings = await run(Number(amount), Number(seed))
console.log(`${findings.length} findings`)
for (const finding of findings.slice(0, 20)) console.log(`  ${finding}`)
process.exit(findings.length === 0 ? 0 : 1)

function load(file) {
  return import(pathToFileURL(join(root, '.build/test', file)).href)
}

async function fuzzHttp1(inputs, start) {
  const { fuzz } = await load('engine/http1/_differential.js')
  const { alike, explained, findings } = fuzz(inputs, start)
  console.log(`${alike} requests were read alike`)
  for (const [name, count] of explained) console.log(`${count} differ and are explained: ${name}`)
  return findings.map(({ input, why }) => `${JSON.stringify(input)}\n    ${why}`)
}

async function fuzzWebSocket(inputs, start) {
  const { fuzz } = await load('engine/websocket/_differential.js')
  const { alike, refused, explained, findings } = fuzz(inputs, start)
  console.log(`${alike} events were told alike, and ${refused} streams refused with the same code`)
  for (const [name, count] of explained) console.log(`${count} differ and are explained: ${name}`)
  return findings.map(({ input: { role, deflates, bytes }, why }) => {
    const stream = Buffer.from(bytes).toString('hex')
    return `${role}${deflates ? ', compressed' : ''}: ${stream}\n    ${why}`
  })
}

async function fuzzPaths(seconds, start) {
  const { fuzzPaths: fuzz } = await load('static/_path-fuzz.js')
  const { requests, statuses, swaps, findings } = await fuzz({ seconds }, start)
  console.log(`${requests} requests were answered, ${swaps} times links and folders were swapped meanwhile`)
  for (const [status, count] of [...statuses].sort()) console.log(`${count} answers were ${status}`)
  return findings.map((requestsOfOne) => JSON.stringify(requestsOfOne))
}
