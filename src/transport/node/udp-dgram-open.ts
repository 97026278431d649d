import { createSocket, type BindOptions, type Socket, type SocketOptions } from 'node:dgram'
import { readFile, readlink } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import type { DatagramDriver } from '../datagram-driver.js'
import type { DatagramSettings } from '../datagram-options.js'
import { findInterface } from './interfaces.js'
import { DgramDriver } from './udp-dgram.js'
import type { UdpTarget } from './udp.js'

type Lookup = NonNullable<SocketOptions['lookup']>

// Hosts are numeric here, and dgram looks at no family. Answering at once spares dgram's resolver and a turn of the tick queue for each datagram.
const noLookup: Lookup = (host, _options, callback) => callback(null, host, 0)

interface ReusePort {
  // Newer than the types that this package is compiled against.
  readonly reusePort?: boolean
}

export async function openDgram(
  local: UdpTarget,
  peer: UdpTarget | undefined,
  maxSendBytes: number,
  settings: DatagramSettings,
): Promise<DatagramDriver> {
  const isIpv6 = isIPv6(local.host)
  const options: SocketOptions & ReusePort = {
    type: isIpv6 ? 'udp6' : 'udp4',
    reuseAddr: settings.reuseAddress,
    reusePort: settings.reusePort,
    ipv6Only: settings.ipv6Only,
    lookup: noLookup,
  }
  const socket = createSocket(options)
  try {
    // `exclusive`: in a process of node:cluster the socket is this process's own, as it is with the addon.
    await bind(socket, { address: local.host, port: local.port, exclusive: true })
    configure(socket, isIpv6, settings)
    if (peer !== undefined) await connect(socket, peer, isIpv6)
    return new DgramDriver(socket, maxSendBytes, settings, peer !== undefined)
  } catch (error) {
    socket.close()
    throw error
  }
}

export async function adoptDgram(descriptor: number, settings: DatagramSettings): Promise<DatagramDriver> {
  const isIpv6 = await isIpv6Descriptor(descriptor)
  const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', lookup: noLookup })
  try {
    await bind(socket, { fd: descriptor, exclusive: true })
    setBuffers(socket, settings)
    return new DgramDriver(socket, maxSendBytes(isIpv6), settings, false)
  } catch (error) {
    socket.close()
    throw error
  }
}

const maxSendBytes = (isIpv6: boolean): number => (isIpv6 ? 65_527 : 65_507)

/** node:dgram believes what it is told of a descriptor's family; on Linux /proc knows. Elsewhere it is taken for IPv4. */
async function isIpv6Descriptor(descriptor: number): Promise<boolean> {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/self/fd/${descriptor}`))?.[1]
    const sockets = await readFile('/proc/self/net/udp6', 'utf8')
    return sockets.split('\n').some((line) => line.trim().split(/\s+/)[9] === inode)
  } catch {
    return false
  }
}

function bind(socket: Socket, options: BindOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(options, () => {
      socket.removeListener('error', reject)
      resolve()
    })
  })
}

function connect(socket: Socket, { host, port }: UdpTarget, isIpv6: boolean): Promise<void> {
  const target = isIpv6 && !host.includes(':') ? `::ffff:${host}` : host
  return new Promise((resolve, reject) => {
    socket.connect(port, target, (error?: Error | null) => {
      if (error) reject(error)
      else resolve()
    })
  })
}

function setBuffers(socket: Socket, { receiveBufferBytes, sendBufferBytes }: DatagramSettings): void {
  if (receiveBufferBytes !== undefined) socket.setRecvBufferSize(receiveBufferBytes)
  if (sendBufferBytes !== undefined) socket.setSendBufferSize(sendBufferBytes)
}

function configure(socket: Socket, isIpv6: boolean, settings: DatagramSettings): void {
  const { broadcast, groups, multicastInterface, multicastTtl, multicastLoopback } = settings
  setBuffers(socket, settings)
  if (broadcast) socket.setBroadcast(true)
  const interfaceText = (at: string): string => {
    const found = findInterface(at, isIpv6 ? 'IPv6' : 'IPv4')
    return isIpv6 ? `::%${found.name}` : found.address
  }
  for (const { group, interface: at } of groups) {
    socket.addMembership(group, at === undefined ? undefined : interfaceText(at))
  }
  if (multicastInterface !== undefined) socket.setMulticastInterface(interfaceText(multicastInterface))
  if (multicastTtl !== undefined) socket.setMulticastTTL(multicastTtl)
  if (!multicastLoopback) socket.setMulticastLoopback(false)
}

let reusePort: Promise<boolean> | undefined

/** Whether this Node's dgram has `reusePort`: two sockets on one port tell. Tried once. */
export function probeReusePort(): Promise<boolean> {
  reusePort ??= tryReusePort()
  return reusePort
}

async function tryReusePort(): Promise<boolean> {
  const options: SocketOptions & ReusePort = { type: 'udp4', reusePort: true }
  const opened: Socket[] = []
  try {
    let port = 0
    for (let i = 0; i < 2; i += 1) {
      const socket = createSocket(options)
      opened.push(socket)
      await bind(socket, { address: '127.0.0.1', port, exclusive: true })
      port = socket.address().port
    }
    return true
  } catch {
    return false
  } finally {
    for (const socket of opened) socket.close()
  }
}
