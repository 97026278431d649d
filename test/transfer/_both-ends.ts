import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { connect, listen, MemoryNetwork, type Connection } from '#src/transport/index.js'
import {
  receiveFiles,
  sendFiles,
  type ReceiveOptions,
  type SendOptions,
  type SendSource,
  type TransferReport,
} from '#src/transfer/index.js'

export interface Folders {
  readonly from: string
  readonly to: string
}

/** Two empty folders, gone when the test is over. */
export async function folders(context: TestContext): Promise<Folders> {
  const [from, to] = await Promise.all(['from', 'to'].map((name) => mkdtemp(join(tmpdir(), `moorage-${name}-`))))
  if (from === undefined || to === undefined) throw new Error('no folders')
  context.after(() => Promise.all([from, to].map((path) => rm(path, { recursive: true, force: true }))))
  return { from, to }
}

export interface Ends {
  readonly sender: Connection
  readonly receiver: Connection
}

export async function ends(network: MemoryNetwork = new MemoryNetwork()): Promise<Ends> {
  const listener = await listen('memory:transfer', { network })
  const [sender, receiver] = await Promise.all([connect('memory:transfer', { network }), listener.accept()])
  await listener.close()
  if (receiver === null) throw new Error('nothing was accepted')
  return { sender, receiver }
}

export interface TransferOptions {
  readonly send?: SendOptions
  readonly receive?: ReceiveOptions
  readonly network?: MemoryNetwork
}

export type Ending = PromiseSettledResult<TransferReport>

/** Sends from one to the other and says how it ended at both ends. */
export async function transfer(
  sources: readonly (string | SendSource)[],
  to: string,
  { send, receive, network }: TransferOptions = {},
): Promise<{ readonly sent: Ending; readonly received: Ending }> {
  const { sender, receiver } = await ends(network)
  const [sent, received] = await Promise.allSettled([
    thenClose(sender, sendFiles(sender, sources, send)),
    thenClose(receiver, receiveFiles(receiver, to, receive)),
  ])
  return { sent, received }
}

async function thenClose<T>(connection: Connection, work: Promise<T>): Promise<T> {
  try {
    const result = await work
    await connection.close()
    return result
  } finally {
    connection.destroy()
  }
}

/** Names of everything below a folder, with the content of files. */
export async function contentOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    found[path.slice(folder.length + 1)] = entry.isFile() ? await readFile(path, 'latin1') : '/'
  }
  return found
}

export function valueOf(ending: Ending): TransferReport {
  if (ending.status === 'rejected') throw ending.reason
  return ending.value
}
