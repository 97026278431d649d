import { BlockList, isIP } from 'node:net'
import { UsageError } from '../../base/errors.js'
import type { Address } from '../address.js'

/** A set of addresses and networks: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`. */
export class AddressList {
  readonly #list = new BlockList()
  readonly size: number

  /** @throws UsageError `ERR_OPTION_VALUE`, naming the entry that is wrong. */
  constructor(entries: readonly string[]) {
    this.size = entries.length
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/')
      const family = isIP(address)
      const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix)
      const fits = family !== 0 && /^\d*$/.test(prefix ?? '') && bits <= (family === 6 ? 128 : 32)
      if (!fits) {
        throw new UsageError(
          'ERR_OPTION_VALUE',
          `Cannot use "${entry}" in a list of addresses: write 127.0.0.1, 10.0.0.0/8 or fd00::/8`,
        )
      }
      this.#list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4')
    }
  }

  /** Addresses that are not IP are in no list. */
  has(address: Address): boolean {
    return address.kind === 'ip' && this.#list.check(address.host, isIP(address.host) === 6 ? 'ipv6' : 'ipv4')
  }
}
