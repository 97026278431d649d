// node client.js <endpoint> <token or -> <command> [argument…]: prints what the command prints, and exits with its code.
// REMOTE_CA names the authority of the server; REMOTE_CERT and REMOTE_KEY are a client certificate, PEM, instead of a token.
import { readFileSync } from 'node:fs'
import { connect } from 'moorage'

const [endpoint = '', token = '', command, ...args] = process.argv.slice(2)

/** One line, and nothing was sent. */
function refuse(why: string, code: number): never {
  console.error(`remote-control: ${why}`)
  process.exit(code)
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The file that a variable of the environment names. */
function fileOf(variable: string): Buffer | undefined {
  const path = process.env[variable]
  try {
    return path === undefined ? undefined : readFileSync(path)
  } catch (error) {
    return refuse(`Cannot use ${variable}: ${said(error)}`, 2)
  }
}

if (command === undefined) refuse('give an endpoint, a token or -, and a command', 2)
const [ca, cert, key] = [fileOf('REMOTE_CA'), fileOf('REMOTE_CERT'), fileOf('REMOTE_KEY')]
if ((cert === undefined) !== (key === undefined)) refuse('give REMOTE_CERT and REMOTE_KEY together', 2)
const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
const connection = await connect(endpoint, { tls }).catch((error: unknown) => refuse(said(error), 1))
await connection.write(`${JSON.stringify({ ...(token === '-' ? {} : { token }), command, args })}\n`)
let isAnswered = false
for await (const line of connection.lines({ maxLineBytes: 1024 * 1024 })) {
  const message: { stream?: 'stdout' | 'stderr'; data?: string; exit?: number | null; error?: string } =
    JSON.parse(line)
  if (message.stream !== undefined) process[message.stream].write(Buffer.from(message.data ?? '', 'base64'))
  // A program that a signal ended has no exit code.
  if (message.exit !== undefined) process.exitCode = message.exit ?? 1
  if (message.error !== undefined) {
    console.error(message.error)
    process.exitCode = 1
  }
  isAnswered ||= message.stream === undefined
}
await connection.close()
if (!isAnswered) refuse('the server ended the connection before the command ended', 1)
