import { lookup } from 'node:dns/promises'
import * as net from 'node:net'
import { UsageError } from '../../base/errors.js'
import type { Address } from '../address.js'
import { formatEndpoint, type Endpoint } from '../endpoint.js'
import { fromSystemError } from './errno.js'
import { claimUnixPath, toSystemPath } from './socket-listener.js'

/** A handle of the system that has an address. */
interface BoundHandle {
  readonly fd: number
  getsockname?(into: { address?: string; port?: number }): number
  close(): void
}

type MakeHandle = (address: string, port: number, addressType: number) => BoundHandle | number

/** An address that is taken and not listened on, to be listened on by workers together. */
export interface BoundAddress {
  readonly local: Address
  readonly endpoint: Endpoint
  /** What travels to a process. */
  readonly handle: object
  readonly descriptor: number
  close(): void
}

const UNIX = -1

/** @throws NetError `ERR_ADDRESS_IN_USE`, `ERR_ACCESS`, …; UsageError `ERR_MODEL_UNSUPPORTED` where the runtime cannot. */
export async function bindAddress(endpoint: Endpoint): Promise<BoundAddress> {
  // What `node:cluster` makes its shared handles with; not documented, and so looked for before it is used.
  const make = '_createServerHandle' in net ? (net._createServerHandle as MakeHandle) : undefined
  if (typeof make !== 'function') {
    throw new UsageError(
      'ERR_MODEL_UNSUPPORTED',
      `Cannot share ${formatEndpoint(endpoint)} between workers on this runtime: use accept: 'parent'`,
    )
  }
  if (endpoint.scheme === 'unix') {
    await claimUnixPath(endpoint.path)
    const handle = made(make(toSystemPath(endpoint.path), UNIX, UNIX), endpoint)
    return bound(handle, { kind: 'unix', path: endpoint.path }, endpoint)
  }
  if (!('port' in endpoint))
    throw new UsageError(
      'ERR_MODEL_UNSUPPORTED',
      `Cannot share ${formatEndpoint(endpoint)} between workers: use accept: 'parent'`,
    )
  const { address, family } = endpoint.host === '' ? { address: '::', family: 6 } : await lookup(endpoint.host)
  const handle = made(make(address, endpoint.port, family), endpoint)
  const name: { address?: string; port?: number } = {}
  handle.getsockname?.(name)
  const port = name.port ?? endpoint.port
  return bound(handle, { kind: 'ip', host: name.address ?? address, port }, { ...endpoint, port })
}

function made(handle: BoundHandle | number, endpoint: Endpoint): BoundHandle {
  if (typeof handle !== 'number') return handle
  const names: Readonly<Record<number, string>> = { [-98]: 'EADDRINUSE', [-13]: 'EACCES', [-99]: 'EADDRNOTAVAIL' }
  const code = names[handle] ?? `errno ${-handle}`
  throw fromSystemError(`listen on ${formatEndpoint(endpoint)}`, Object.assign(new Error(`bind ${code}`), { code }))
}

function bound(handle: BoundHandle, local: Address, endpoint: Endpoint): BoundAddress {
  return { local, endpoint, handle, descriptor: handle.fd, close: () => handle.close() }
}
