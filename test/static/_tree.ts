import { mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** A folder of its own for the tests of a file, gone when they are over. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'moorage-static-')))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A clock that is far ahead of the file system's: what was written a moment ago counts as written long ago. */
export const later = (): number => Date.now() + 60_000

/** Does it again until the clock of the file system has gone on, which may take a tick of it. */
export function untilSeen(path: string, change: () => void): void {
  const { ctimeNs } = statSync(path, { bigint: true })
  do change()
  while (statSync(path, { bigint: true }).ctimeNs === ctimeNs)
}
