// `npm run fuzz -- http1 [inputs] [seed]`: the HTTP/1 engine against llhttp, on mutated requests of the wire tables. Ends
// with 1 when a request was read that llhttp refuses or reads in another way, and nothing explains it.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, setUp } from './setup.mjs'

const [subject, inputs = '1000000', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2)
if (subject !== 'http1' || !/^\d+$/.test(inputs) || !/^\d+$/.test(seed)) {
  console.error('usage: npm run fuzz -- http1 [inputs] [seed]')
  process.exit(2)
}
setUp({ tests: true })
const { fuzz } = await import(pathToFileURL(join(root, '.build/test/engine/http1/_differential.js')).href)
console.log(`fuzz http1: ${inputs} inputs, seed ${seed}`)
const { alike, explained, findings } = fuzz(Number(inputs), Number(seed))
console.log(`${alike} requests were read alike`)
for (const [name, count] of explained) console.log(`${count} differ and are explained: ${name}`)
console.log(`${findings.length} findings`)
for (const { input, why } of findings.slice(0, 20)) console.log(`  ${JSON.stringify(input)}\n    ${why}`)
process.exit(findings.length === 0 ? 0 : 1)
