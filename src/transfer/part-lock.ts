import { readFileSync } from 'node:fs'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { errorCodeOf, ProtocolError } from '../base/errors.js'

let lastAside = 0

/**
 * Holds the partial file of a name against every other receiver, also in other processes: a file that only one can
 * make, with the process in it. One whose process is gone (kill -9) is taken over. Resolves with what lets it go.
 * @throws ProtocolError `ERR_TRANSFER_STORAGE` with `details.reason` `'busy'`.
 */
export async function lockPart(path: string): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${startOf(process.pid)}`
  const aside = `${path}.${process.pid}.${(lastAside += 1)}`
  // Made aside and linked: so the lock is never seen without its content.
  await writeFile(aside, mine, { flag: 'wx', mode: 0o600 })
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (await made(aside, path)) return () => rm(path, { force: true })
      const holder = await holderOf(path)
      if (holder !== undefined && isAlive(holder)) break
      if (holder !== undefined) await takeAway(path, holder)
    }
  } finally {
    await rm(aside, { force: true })
  }
  throw new ProtocolError(
    'ERR_TRANSFER_STORAGE',
    'Cannot take the file: another transfer is writing it at this moment',
    { details: { reason: 'busy' } },
  )
}

async function made(from: string, path: string): Promise<boolean> {
  try {
    await link(from, path)
    return true
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** `undefined` when it was let go meanwhile. */
async function holderOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function isAlive(holder: string): boolean {
  const [pid = '', start = ''] = holder.split(' ')
  if (!/^\d+$/.test(pid)) return false
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    return errorCodeOf(error) === 'EPERM'
  }
  return startOf(Number(pid)) === start
}

/** Moves a stale lock away, and gives it back when it turns out that somebody else was faster. */
async function takeAway(path: string, stale: string): Promise<void> {
  const aside = `${path}.${process.pid}.${(lastAside += 1)}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return
    throw error
  }
  const moved = await readFile(aside, 'utf8')
  if (moved === stale) await rm(aside, { force: true })
  else await rename(aside, path)
}

/** When a process started, so that a number that was given again is not taken for the one that died. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    // No /proc here: the number alone has to do.
    return ''
  }
}
