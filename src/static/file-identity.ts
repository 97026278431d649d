/** What tells one state of a file or folder from every other one. */
export interface FileIdentity {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/** Without what else is known of it: an entry of a cache lives long. */
export const identityOf = ({ dev, ino, size, mtimeNs, ctimeNs }: FileIdentity): FileIdentity => ({
  dev,
  ino,
  size,
  mtimeNs,
  ctimeNs,
})

export const isSameIdentity = (a: FileIdentity, b: FileIdentity): boolean =>
  a.ino === b.ino && a.ctimeNs === b.ctimeNs && a.size === b.size && a.mtimeNs === b.mtimeNs && a.dev === b.dev

/** Nobody sees the device in it: it changes with the order in which disks are found. */
export const versionOf = ({ ino, size, mtimeNs, ctimeNs }: FileIdentity): string =>
  `${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}-${ctimeNs.toString(36)}`

/**
 * How coarse the clock of a file system may be: FAT counts in 2 s, most others in what the system's tick is. Two changes
 * within one step leave the same times behind.
 */
const COARSEST_CLOCK_MS = 2000

/**
 * Whether a change from now on leaves another identity behind. One that was made just now may be followed by another in
 * the same step of the clock: what is remembered of it would never be found out.
 */
export function isSettled({ mtimeNs, ctimeNs }: FileIdentity, nowMs: number): boolean {
  const newest = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n)
  return newest + COARSEST_CLOCK_MS < nowMs
}
