// node client.js <endpoint> <token> <command> [argument…]: prints what the command prints, and exits with its code.
import { readFileSync } from 'node:fs'
import { connect } from 'moorage'

const [endpoint = '', token = '', command = '', ...args] = process.argv.slice(2)
const ca = process.env['REMOTE_CA']
const connection = await connect(endpoint, { tls: ca === undefined ? {} : { ca: readFileSync(ca) } })
await connection.write(`${JSON.stringify({ token, command, args })}\n`)
for await (const line of connection.lines({ maxLineBytes: 1024 * 1024 })) {
  const message: { stream?: 'stdout' | 'stderr'; data?: string; exit?: number; error?: string } = JSON.parse(line)
  if (message.stream !== undefined) process[message.stream].write(Buffer.from(message.data ?? '', 'base64'))
  if (message.exit !== undefined) process.exitCode = message.exit
  if (message.error !== undefined) {
    console.error(message.error)
    process.exitCode = 1
  }
}
await connection.close()
