/**
 * How many bytes the methods of Uint8Array copy or look at while `work` runs: decoders do all work in bulk through
 * them. It counts, so it finds quadratic work on the busiest machine.
 */
export function countBytesTouched(work: () => void): number {
  const { prototype } = Uint8Array
  const { set, slice, indexOf } = prototype
  let touched = 0
  prototype.set = function (this: Uint8Array, source: ArrayLike<number>, at?: number) {
    touched += source.length
    set.call(this, source, at)
  }
  prototype.slice = function (this: Uint8Array, from?: number, to?: number) {
    const copy = slice.call(this, from, to)
    touched += copy.length
    return copy
  }
  prototype.indexOf = function (this: Uint8Array, byte: number, from: number = 0) {
    const found = indexOf.call(this, byte, from)
    touched += (found === -1 ? this.length : found + 1) - from
    return found
  }
  const refuse = (): never => {
    throw new Error('this method is not counted yet')
  }
  prototype.copyWithin = refuse
  prototype.fill = refuse
  try {
    work()
  } finally {
    // They belong to the prototype above this one, and show again when these are gone.
    for (const name of ['set', 'slice', 'indexOf', 'copyWithin', 'fill']) Reflect.deleteProperty(prototype, name)
  }
  return touched
}
