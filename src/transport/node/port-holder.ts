import { readdir, readFile, readlink } from 'node:fs/promises'

/** The program that holds a port. */
export interface PortHolder {
  readonly pid: number
  /** The command's short name, as the system has it (at most 15 characters). */
  readonly command: string
}

// Bounds the search: a machine with more would make a failing bind slow, for a hint.
const MAX_PROCESSES = 4096
const MAX_DESCRIPTORS = 65_536

const TCP_LISTEN = '0A'

/**
 * Who holds a local port, where `/proc` tells (Linux, and processes that this user may look into); otherwise
 * `undefined`. Never rejects. Bounded: at most 4,096 processes and 65,536 descriptors are looked at.
 */
export async function findPortHolder(protocol: 'tcp' | 'udp', port: number): Promise<PortHolder | undefined> {
  try {
    const inodes = new Set<string>()
    for (const table of [protocol, `${protocol}6`]) {
      const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '')
      for (const inode of inodesOfPort(text, port, protocol === 'tcp' ? TCP_LISTEN : undefined)) inodes.add(inode)
    }
    return inodes.size === 0 ? undefined : await findOwner(inodes)
  } catch {
    return undefined
  }
}

/** What an error message can say of the holder: "it is held by node (process 4711)". */
export async function describePortHolder(protocol: 'tcp' | 'udp', port: number): Promise<string | undefined> {
  const holder = await findPortHolder(protocol, port)
  if (holder === undefined) return undefined
  const self = holder.pid === process.pid ? ', which is this program' : ''
  return `it is held by ${holder.command} (process ${holder.pid}${self})`
}

/** Inodes of the sockets with a local port, from the text of `/proc/net/{tcp,udp}{,6}`; `state` picks one, as in `0A`. */
export function inodesOfPort(table: string, port: number, state: string | undefined): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const inodes: string[] = []
  for (const line of table.split('\n').slice(1)) {
    const [, local, , found, , , , , , inode] = line.trim().split(/\s+/)
    if (local === undefined || inode === undefined || inode === '0') continue
    if (local.endsWith(wanted) && (state === undefined || found === state)) inodes.push(inode)
  }
  return inodes
}

async function findOwner(inodes: ReadonlySet<string>): Promise<PortHolder | undefined> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  let descriptors = 0
  for (const pid of processes.slice(0, MAX_PROCESSES)) {
    const open = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const descriptor of open) {
      if ((descriptors += 1) > MAX_DESCRIPTORS) return undefined
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode === undefined || !inodes.has(inode)) continue
      const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
      return { pid: Number(pid), command: command.trim() || 'a program' }
    }
  }
  return undefined
}
