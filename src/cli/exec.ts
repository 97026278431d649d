import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { NetError } from '../base/index.js'
import { formatAddress, type Connection } from '../transport/index.js'
import { pumpIn, pumpOut, type Taps } from './pipes.js'

/**
 * Runs a shell command for a connection: what is received is its standard input, its standard output is sent; its
 * errors go to ours. When the peer leaves, it is ended. Resolves with its exit code.
 */
export async function execFor(connection: Connection, command: string, { tapIn, tapOut }: Taps = {}): Promise<number> {
  const child = spawn(command, {
    shell: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      MOORAGE_REMOTE: formatAddress(connection.remote),
      MOORAGE_LOCAL: formatAddress(connection.local),
    },
  })
  const exited = once(child, 'exit')
  child.on('error', (cause) =>
    connection.destroy(new NetError('ERR_SOCKET', `Cannot run ${command}: ${cause.message}`, { cause })),
  )
  // A program that does not read its input, or ends before it has, is its own business.
  child.stdin.on('error', () => undefined)
  const feeding = pumpOut(connection, child.stdin, tapIn).then(
    () => child.stdin.end(),
    () => child.kill('SIGHUP'),
  )
  void connection.closed.then(() => child.kill('SIGHUP'))
  await pumpIn(child.stdout, connection, tapOut).catch(() => child.kill('SIGHUP'))
  const [code] = await exited
  await connection.close()
  await feeding
  return typeof code === 'number' ? code : 1
}
