import { lstatSync, unlinkSync, type Stats } from 'node:fs'
import { throwIfAborted } from '../../base/cancellation.js'
import { errorCodeOf, NetError, type MoorageError } from '../../base/errors.js'
import type { DatagramDriver } from '../datagram-driver.js'
import type { DatagramSettings } from '../datagram-options.js'
import { fromSystemError } from './errno.js'
import { requireNative, type NativeAddon } from './native.js'
import { adoptNative } from './udp.js'

/** One byte less than the system's field, which ends with a zero byte; an abstract name has no such end but a first byte. */
const MAX_PATH_BYTES = 107

/**
 * A Unix datagram socket on a path or `@name`. A socket file that nobody receives on any more is removed first, and the
 * file made here is removed when the socket is closed.
 */
export function bindUnixgram(path: string, settings: DatagramSettings): DatagramDriver {
  throwIfAborted(settings.signal)
  const addon = requireNative('unixgram sockets')
  const action = `listen on unixgram:${path}`
  checkPath(action, path)
  try {
    if (!path.startsWith('@')) removeStale(addon, action, path)
    return open(addon, path, undefined, settings)
  } catch (error) {
    throw fromSystemError(action, error)
  }
}

/** A Unix datagram socket with one peer, bound to `from` or (for '') to an abstract name, so that it can be answered. */
export function connectUnixgram(path: string, from: string, settings: DatagramSettings): DatagramDriver {
  throwIfAborted(settings.signal)
  const addon = requireNative('unixgram sockets')
  const action = `connect to unixgram:${path}`
  checkPath(action, path)
  checkPath(action, from)
  try {
    if (from !== '' && !from.startsWith('@')) removeStale(addon, action, from)
    return open(addon, from, path, settings)
  } catch (error) {
    throw fromUnixError(action, error)
  }
}

function open(addon: NativeAddon, local: string, peer: string | undefined, settings: DatagramSettings): DatagramDriver {
  const descriptor = addon.openUnixgram(local, settings.mode ?? -1)
  const made = fileAt(local)
  const removeFile = (): void => {
    if (made !== undefined) removeOwn(local, made)
  }
  const prepare = (): number => {
    if (peer !== undefined) addon.connectUnixgram(descriptor, peer)
    return settings.sendQueueBytes
  }
  try {
    return adoptNative(addon, descriptor, settings, prepare, removeFile)
  } catch (error) {
    removeFile()
    throw error
  }
}

function fromUnixError(action: string, error: unknown): MoorageError {
  const systemCode = errorCodeOf(error)
  if (systemCode !== 'ECONNREFUSED' && systemCode !== 'ENOENT') return fromSystemError(action, error)
  return new NetError('ERR_DATAGRAM_UNREACHABLE', `Cannot ${action}: nobody listens there (${systemCode})`, {
    cause: error,
    details: { systemCode },
  })
}

function checkPath(action: string, path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= (path.startsWith('@') ? MAX_PATH_BYTES + 1 : MAX_PATH_BYTES)) return
  throw new NetError(
    'ERR_UNIX_PATH',
    `Cannot ${action}: the path has ${bytes} bytes, and at most ${MAX_PATH_BYTES} fit`,
  )
}

function fileAt(path: string): Stats | undefined {
  if (path === '' || path.startsWith('@')) return undefined
  return lstatSync(path, { throwIfNoEntry: false })
}

/** Removes a socket file only when connecting to it says that nobody is behind it. */
function removeStale(addon: NativeAddon, action: string, path: string): void {
  const found = fileAt(path)
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new NetError('ERR_UNIX_PATH', `Cannot ${action}: something that is not a socket stands there`)
  }
  const answer = addon.probeUnixgram(path)
  if (answer === 'ECONNREFUSED') removeOwn(path, found)
}

/** Removes the file if it is still the one that was looked at: another program may have replaced it. */
function removeOwn(path: string, seen: Stats): void {
  const now = fileAt(path)
  if (now === undefined || now.ino !== seen.ino || now.dev !== seen.dev) return
  try {
    unlinkSync(path)
  } catch {
    // Gone meanwhile, or in a folder that may no longer be written: binding says so where it matters.
  }
}
