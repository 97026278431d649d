import { readFileSync } from 'node:fs'
import { UsageError } from '../../base/errors.js'
import type { MaskCopy } from '../../engine/websocket/mask.js'

/** `[host, port]`, or the path of a Unix socket (`@name` for an abstract one). */
export type NativeName = readonly [host: string, port: number] | string

/** What JavaScript and the addon share for one socket; native/udp-batches.c has the layout. */
export interface NativeBatchMemory {
  readonly receive: Uint8Array
  readonly header: Int32Array
  readonly control: Int32Array
  /** This and the arena may be replaced by larger ones, followed by `batchGrow`. */
  records: Int32Array
  arena: Uint8Array
}

/** What JavaScript and the addon share for all streams of a thread; native/streams.c has the layout. */
export interface NativeStreamMemory {
  readonly receive: Uint8Array
  readonly records: Int32Array
  readonly outbox: Uint8Array
  readonly out: Int32Array
  readonly control: Int32Array
}

/** The addon as it stands. Each call throws an Error with `code`, `errno` and `syscall` when the system refuses. */
export interface NativeAddon {
  openUdp(host: string, port: number, flags: number): number
  connectUdp(descriptor: number, host: string, port: number): void
  listenTcp(host: string, port: number, flags: number, backlog: number): number
  openUnixgram(path: string, mode: number): number
  connectUnixgram(descriptor: number, path: string): void
  /** The name of the error of a connect, '' when somebody receives there. */
  probeUnixgram(path: string): string
  notify(path: string, text: string): void
  dup(descriptor: number): number
  closeFd(descriptor: number): void
  localName(descriptor: number): NativeName
  remoteName(descriptor: number): NativeName | undefined
  socketOption(descriptor: number, name: NativeOption, value?: number): number
  multicast(descriptor: number, group: string, interfaceName: string): void
  batchOpen(
    descriptor: number,
    memory: NativeBatchMemory,
    stride: number,
    maxBytes: number,
    maxPeers: number,
    skipBlocked: number,
    onEvent: (event: number, value: number) => void,
  ): number
  batchFlush(batch: number, from: number, to: number): number
  batchGrow(batch: number): void
  batchIntern(batch: number, hostOrPath: string, port: number): number
  batchPeer(batch: number, slot: number): NativeName
  batchClose(batch: number): void
  /** Once for a thread. */
  streamsOpen(memory: NativeStreamMemory, onEvents: (count: number) => void): void
  /** Sends what is in the outbox now. @returns how many records of it are left. */
  streamsFlush(): number
  /** Of a copy of the descriptor: the caller closes its own. */
  streamAdd(descriptor: number): number
  /** Gives the descriptor, which is the caller's from then on. */
  streamRelease(stream: number): number
  streamClose(stream: number): void
  /** All below give 0 or how many bytes were taken, or a negative errno. */
  streamWatch(stream: number, interest: number): number
  streamWrite(stream: number, bytes: Uint8Array): number
  /** Of bytes that others follow at once. */
  streamWriteMore(stream: number, bytes: Uint8Array): number
  streamWriteText(stream: number, text: string): number
  /** Up to the first of the list that is no Uint8Array. */
  streamWriteAll(stream: number, list: readonly unknown[], from: number): number
  /** ENODATA behind the end of the file. */
  streamSendFile(stream: number, descriptor: number, offset: number, count: number): number
  streamShutdown(stream: number): number
  /**
   * Receives into an open file, in another thread, until so many bytes are there or nothing comes for a moment; nobody else
   * reads meanwhile. Both errors are negative, or 0. @returns whether it has begun.
   */
  streamToFile(
    stream: number,
    descriptor: number,
    offset: number,
    count: number,
    done: (bytes: number, streamError: number, fileError: number) => void,
  ): boolean
  /** Device, inode, size, and the times of modification and change in nanoseconds. */
  fileIsSame(path: string, follow: 0 | 1, identity: BigInt64Array): boolean
  /** Memory that is also a file, which lives as long. */
  sharedBytes(length: number): readonly [memory: ArrayBuffer, descriptor: number] | undefined
  readonly maskCopy: MaskCopy
  /** Whether a piece can be read without waiting for a disk. */
  fileInMemory(descriptor: number, offset: number, count: number): boolean
}

export type NativeOption = 'receiveBuffer' | 'sendBuffer' | 'type' | 'multicastTtl' | 'multicastLoopback'

/** Flags of `openUdp` and `listenTcp`. */
export const REUSE_ADDRESS = 1
export const REUSE_PORT = 2
export const IPV6_ONLY = 4
export const BROADCAST = 8

const BUILD = new URL('../../../native/build/', import.meta.url)

interface Loading {
  readonly addon: NativeAddon | undefined
  readonly problem: unknown
}

let loading: Loading | undefined

function load(): Loading {
  const module: { exports: Partial<NativeAddon> } = { exports: {} }
  try {
    // process.dlopen takes a path; the addon is only built on Linux, where a URL's path is one.
    process.dlopen(module, decodeURIComponent(new URL('moorage.node', BUILD).pathname))
    return { addon: module.exports as NativeAddon, problem: undefined }
  } catch (problem) {
    return { addon: undefined, problem }
  }
}

const isSwitchedOff = (): boolean => process.env['MOORAGE_NATIVE'] === 'off'

/** The addon, or `undefined` where it is not built, does not load, or is switched off by `MOORAGE_NATIVE=off`. */
export function tryLoadNative(): NativeAddon | undefined {
  if (isSwitchedOff()) return undefined
  loading ??= load()
  return loading.addon
}

/** @throws UsageError `ERR_NATIVE_MISSING`; `what` is what needs the addon: "unixgram sockets". */
export function requireNative(what: string): NativeAddon {
  const addon = tryLoadNative()
  if (addon !== undefined) return addon
  const why = isSwitchedOff() ? 'MOORAGE_NATIVE=off switches it off' : whyMissing()
  throw new UsageError(
    'ERR_NATIVE_MISSING',
    `Cannot use ${what}: the native addon is missing (${why}); install a C compiler and run "npm rebuild moorage"`,
    { cause: loading?.problem },
  )
}

function whyMissing(): string {
  try {
    return readFileSync(new URL('failed.txt', BUILD), 'utf8').trim()
  } catch {
    return 'it was never built: the install script did not run'
  }
}
