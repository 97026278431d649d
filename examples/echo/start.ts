// The echo server on five transports at once: `npm run example -- echo`.
// Ports and folder: ECHO_PORT (default 9000; 0 means any), ECHO_TLS_PORT (default 9443), ECHO_DIR (default: a folder of the system's temporary one).
import { mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { NetError, serve, UsageError, type DatagramServer, type StreamServer } from 'moorage'
import { ensureCertificate } from 'moorage/certificate'
import { Echo, echoDatagram } from './handlers.js'

const port = process.env['ECHO_PORT'] ?? '9000'
const tlsPort = process.env['ECHO_TLS_PORT'] ?? '9443'
const folder = process.env['ECHO_DIR'] ?? join(tmpdir(), `moorage-${userInfo().uid}`)
mkdirSync(folder, { recursive: true, mode: 0o700 })

const { cert, key } = await ensureCertificate()
const servers: (StreamServer | DatagramServer)[] = []

async function start(
  open: () => Promise<StreamServer | DatagramServer>,
  hint: (server: StreamServer | DatagramServer) => string,
): Promise<void> {
  try {
    const server = await open()
    servers.push(server)
    console.log(`listening on ${server.endpoint.padEnd(44)} try: ${hint(server)}`)
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof NetError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

const portOf = ({ local }: StreamServer | DatagramServer): number => (local.kind === 'ip' ? local.port : 0)

await start(
  () => serve(`tcp://127.0.0.1:${port}`, Echo),
  (server) => `nc 127.0.0.1 ${portOf(server)}`,
)
await start(
  () => serve(`tls://127.0.0.1:${tlsPort}`, Echo, { tls: { cert, key } }),
  (server) => `openssl s_client -quiet -connect 127.0.0.1:${portOf(server)}`,
)
await start(
  () => serve(`udp://127.0.0.1:${Number(port)}`, echoDatagram),
  (server) => `nc -u 127.0.0.1 ${portOf(server)}`,
)
await start(
  () => serve(`unix:${join(folder, 'echo.sock')}`, Echo),
  () => `nc -U ${join(folder, 'echo.sock')}`,
)
await start(
  () => serve(`unixgram:${join(folder, 'echo.dgram')}`, echoDatagram),
  () => `socat - UNIX-SENDTO:${join(folder, 'echo.dgram')},bind=${join(folder, 'me.dgram')}`,
)

if (servers.length > 0) {
  console.log('\nType lines into a client; Ctrl-C here ends.')
  await Promise.all(servers.map((server) => server.serveForever()))
}
