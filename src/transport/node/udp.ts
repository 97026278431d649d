import { isIPv6 } from 'node:net'
import { throwIfAborted } from '../../base/cancellation.js'
import { errorCodeOf, NetError, UsageError } from '../../base/errors.js'
import type { DatagramDriver } from '../datagram-driver.js'
import type { DatagramSettings } from '../datagram-options.js'
import { BatchDriver } from './datagram-batches.js'
import { fromSystemError } from './errno.js'
import { findInterface } from './interfaces.js'
import {
  BROADCAST,
  IPV6_ONLY,
  requireNative,
  REUSE_ADDRESS,
  REUSE_PORT,
  tryLoadNative,
  type NativeAddon,
} from './native.js'
import { describePortHolder } from './port-holder.js'
import { resolveHost } from './resolve-host.js'
import { adoptDgram, openDgram, probeReusePort } from './udp-dgram-open.js'

export interface UdpTarget {
  readonly host: string
  readonly port: number
}

/** The longest payload: 65,535 less the UDP header, and on IPv4 less the IP header, which counts there. */
export const maxUdpBytes = (host: string): number => (isIPv6(host) ? 65_527 : 65_507)

/** The addon when UDP is to use it. @throws UsageError `ERR_NATIVE_MISSING`. */
function chooseAddon(native: DatagramSettings['native']): NativeAddon | undefined {
  if (native === 'never') return undefined
  return native === 'always' ? requireNative('UDP with native: "always"') : tryLoadNative()
}

async function refuseWithoutReusePort(settings: DatagramSettings): Promise<void> {
  if (!settings.reusePort || (await probeReusePort())) return
  if (settings.native !== 'never') requireNative('reusePort on this Node.js, whose dgram does not have it')
  throw new UsageError('ERR_UNSUPPORTED', 'Cannot use reusePort: dgram of this Node.js does not have it')
}

/** A bound UDP socket. Host '' is all addresses, IPv6 and IPv4, where the machine has IPv6. */
export async function bindUdp({ host, port }: UdpTarget, settings: DatagramSettings): Promise<DatagramDriver> {
  const { signal } = settings
  if (host !== '') return openUdp({ host: await resolveHost(host, signal), port }, undefined, settings)
  try {
    return await openUdp({ host: '::', port }, undefined, settings)
  } catch (error) {
    const systemCode = error instanceof Error ? errorCodeOf(error.cause) : undefined
    if (systemCode !== 'EAFNOSUPPORT' && systemCode !== 'EADDRNOTAVAIL') throw error
    return openUdp({ host: '0.0.0.0', port }, undefined, settings)
  }
}

/** A UDP socket with one peer, bound to `from` or to what the system picks. */
export async function connectUdp(to: UdpTarget, from: UdpTarget, settings: DatagramSettings): Promise<DatagramDriver> {
  if (to.port === 0) throw new UsageError('ERR_ENDPOINT', 'Cannot connect a UDP socket: port 0 is no port of a peer')
  const host = await resolveHost(to.host === '' ? 'localhost' : to.host, settings.signal)
  const local = from.host === '' ? (isIPv6(host) ? '::' : '0.0.0.0') : from.host
  return openUdp({ host: local, port: from.port }, { host, port: to.port }, settings)
}

async function openUdp(
  local: UdpTarget,
  peer: UdpTarget | undefined,
  settings: DatagramSettings,
): Promise<DatagramDriver> {
  const addon = chooseAddon(settings.native)
  if (addon === undefined) await refuseWithoutReusePort(settings)
  throwIfAborted(settings.signal)
  try {
    if (addon !== undefined) return openNative(addon, local, peer, settings)
    return await openDgram(local, peer, maxUdpBytes(local.host), settings)
  } catch (error) {
    const hint =
      errorCodeOf(error) === 'EADDRINUSE' && local.port !== 0 ? await describePortHolder('udp', local.port) : undefined
    throw fromSystemError(describeOpening(local, peer), error, hint)
  }
}

const show = ({ host, port }: UdpTarget): string => `udp://${isIPv6(host) ? `[${host}]` : host}:${port}`

function describeOpening(local: UdpTarget, peer: UdpTarget | undefined): string {
  return peer === undefined ? `listen on ${show(local)}` : `connect to ${show(peer)} from ${show(local)}`
}

function openNative(
  addon: NativeAddon,
  local: UdpTarget,
  peer: UdpTarget | undefined,
  settings: DatagramSettings,
): DatagramDriver {
  const flags =
    (settings.reuseAddress ? REUSE_ADDRESS : 0) |
    (settings.reusePort ? REUSE_PORT : 0) |
    (settings.ipv6Only ? IPV6_ONLY : 0) |
    (settings.broadcast ? BROADCAST : 0)
  const descriptor = addon.openUdp(local.host, local.port, flags)
  return adoptNative(addon, descriptor, settings, () => {
    setMulticast(addon, descriptor, isIPv6(local.host), settings)
    if (peer !== undefined) addon.connectUdp(descriptor, peer.host, peer.port)
    return maxUdpBytes(local.host)
  })
}

/** A driver over a descriptor made here, which is closed when `prepare` or the driver's start fails. `prepare` gives the longest datagram. */
export function adoptNative(
  addon: NativeAddon,
  descriptor: number,
  settings: DatagramSettings,
  prepare: () => number,
  onClose?: () => void,
): DatagramDriver {
  try {
    return driveNative(addon, descriptor, settings, prepare(), onClose)
  } catch (error) {
    addon.closeFd(descriptor)
    throw error
  }
}

function driveNative(
  addon: NativeAddon,
  descriptor: number,
  settings: DatagramSettings,
  maxSendBytes: number,
  onClose?: () => void,
): DatagramDriver {
  const { receiveBufferBytes, sendBufferBytes } = settings
  if (receiveBufferBytes !== undefined) addon.socketOption(descriptor, 'receiveBuffer', receiveBufferBytes)
  if (sendBufferBytes !== undefined) addon.socketOption(descriptor, 'sendBuffer', sendBufferBytes)
  return new BatchDriver(addon, descriptor, maxSendBytes, settings, onClose)
}

function setMulticast(addon: NativeAddon, descriptor: number, isIpv6: boolean, settings: DatagramSettings): void {
  const family = isIpv6 ? 'IPv6' : 'IPv4'
  const { groups, multicastInterface, multicastTtl, multicastLoopback } = settings
  for (const { group, interface: at } of groups) {
    addon.multicast(descriptor, group, at === undefined ? '' : findInterface(at, family).name)
  }
  if (multicastInterface !== undefined) {
    addon.multicast(descriptor, '', findInterface(multicastInterface, family).name)
  }
  if (multicastTtl !== undefined) addon.socketOption(descriptor, 'multicastTtl', multicastTtl)
  if (!multicastLoopback) addon.socketOption(descriptor, 'multicastLoopback', 0)
}

// SOCK_DGRAM, the same number on every Linux but MIPS, where its value is SOCK_STREAM's of the others.
const SOCK_DGRAM = process.arch.startsWith('mips') ? 1 : 2

/**
 * A driver over a bound datagram descriptor that was inherited or made elsewhere; the driver closes it from now on, but
 * not when this fails. Where the addon is missing, node:dgram takes it.
 */
export async function adoptUdp(descriptor: number, settings: DatagramSettings): Promise<DatagramDriver> {
  throwIfAborted(settings.signal)
  const addon = chooseAddon(settings.native)
  const action = `use descriptor ${descriptor} as a datagram socket`
  try {
    if (addon === undefined) return await adoptDgram(descriptor, settings)
    if (addon.socketOption(descriptor, 'type') !== SOCK_DGRAM) {
      throw new NetError('ERR_DESCRIPTOR', `Cannot ${action}: it is another kind of socket`)
    }
    const name = addon.localName(descriptor)
    const maxSendBytes = typeof name === 'string' ? settings.sendQueueBytes : maxUdpBytes(name[0])
    return driveNative(addon, descriptor, settings, maxSendBytes)
  } catch (error) {
    throw fromSystemError(action, error)
  }
}
