import { tryLoadNative } from '../transport/node/native.js'

// What the system does for files beyond what Node has: for the floor of files, which knows no transport.

export { sharedBytes } from '../transport/node/shared-bytes.js'

/** Device, inode, size, and the times of modification and change in nanoseconds. */
export type FileNumbers = BigInt64Array

/** Says in one call whether the file at a path is in that state, following a link or not; `undefined` without the addon. */
export type LookAtFile = (path: string, follows: boolean, numbers: FileNumbers) => boolean

export function fastLook(): LookAtFile | undefined {
  const addon = tryLoadNative()
  return addon === undefined ? undefined : (path, follows, numbers) => addon.fileIsSame(path, follows ? 1 : 0, numbers)
}
