import { constants } from 'node:os'
import type { Address } from '../address.js'
import { cannotReach, systemError } from './datagram-errors.js'
import type { NativeAddon, NativeName } from './native.js'

export function fromNativeName(name: NativeName): Address {
  if (typeof name === 'string') return { kind: 'unix', path: name }
  return { kind: 'ip', host: name[0], port: name[1] }
}

/**
 * The JavaScript half of the addon's table of peers: a peer is a slot there and an `Address` here, one object for as
 * long as it has the slot. The addon decides who keeps a slot; an address that lost its slot gets another when it is used.
 */
export class PeerSlots {
  readonly #addon: NativeAddon
  readonly #batch: number
  readonly #local: Address
  readonly #addresses: (Address | undefined)[] = []
  readonly #slotByAddress = new WeakMap<Address, number>()

  constructor(addon: NativeAddon, batch: number, local: Address) {
    this.#addon = addon
    this.#batch = batch
    this.#local = local
  }

  /** Whose slot it is; `isNew` when the addon has just given it to somebody. */
  addressOf(slot: number, isNew: boolean): Address {
    const known = isNew ? undefined : this.#addresses[slot]
    if (known !== undefined) return known
    const address = fromNativeName(this.#addon.batchPeer(this.#batch, slot))
    this.#keep(address, slot)
    return address
  }

  knownAt(slot: number): Address | undefined {
    return this.#addresses[slot]
  }

  /** The slot to send by. @throws the system's error, or NetError `ERR_ADDRESS_NOT_AVAILABLE`. */
  slotOf(to: Address): number {
    const isUnix = to.kind === 'unix'
    if (isUnix && to.path === '') throw systemError(constants.errno.ENOTCONN, 'sendto')
    const known = this.#slotByAddress.get(to)
    if (known !== undefined && this.#addresses[known] === to) return known
    if (!isUnix && to.kind !== 'ip') throw cannotReach(to, this.#local)
    const slot = this.#addon.batchIntern(this.#batch, isUnix ? to.path : to.host, isUnix ? 0 : to.port)
    if (slot < 0) throw cannotReach(to, this.#local)
    this.#keep(to, slot)
    return slot
  }

  #keep(address: Address, slot: number): void {
    this.#addresses[slot] = address
    this.#slotByAddress.set(address, slot)
  }
}
