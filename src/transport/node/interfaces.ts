import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { NetError } from '../../base/errors.js'

export interface LocalInterface {
  readonly name: string
  /** An address of the interface, of the family that was asked for. */
  readonly address: string
}

/**
 * The interface of this machine with a name (`eth0`) or a numeric address.
 * @throws NetError `ERR_ADDRESS_NOT_AVAILABLE`.
 */
export function findInterface(nameOrAddress: string, family: 'IPv4' | 'IPv6'): LocalInterface {
  const interfaces = networkInterfaces()
  const isAddress = isIP(nameOrAddress) !== 0
  for (const [name, addresses] of Object.entries(interfaces)) {
    if (isAddress ? !addresses?.some(({ address }) => address === nameOrAddress) : name !== nameOrAddress) continue
    const found = addresses?.find((address) => address.family === family)
    if (found !== undefined) return { name, address: found.address }
  }
  const known = Object.keys(interfaces).join(', ')
  throw new NetError(
    'ERR_ADDRESS_NOT_AVAILABLE',
    `Cannot use interface ${JSON.stringify(nameOrAddress)}: this machine has none of that name or address with ${family}; it has ${known}`,
  )
}

/** The name of the interface that has an address of this machine. */
export function interfaceOf(address: string): string | undefined {
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (addresses?.some((own) => own.address === address)) return name
  return undefined
}
