import { open, readFile, rm } from 'node:fs/promises'
import { BusyError, errorCodeOf } from '../base/errors.js'

/** Of this process. */
const held = new Set<string>()

/** Lets one download at a time write a part: in this process, and in others that live. */
export class PartLock {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** @throws BusyError `ERR_BUSY_PART`. */
  static async take(part: string): Promise<PartLock> {
    const path = `${part}.lock`
    if (held.has(path)) throw busy(part)
    held.add(path)
    try {
      for (let tries = 0; ; tries += 1) {
        if (await tryCreate(path)) return new PartLock(path)
        // One that was killed has left its lock.
        if (tries > 0 || (await isHeldByOther(path))) throw busy(part)
        await rm(path, { force: true })
      }
    } catch (error) {
      held.delete(path)
      throw error
    }
  }

  async release(): Promise<void> {
    held.delete(this.#path)
    await rm(this.#path, { force: true })
  }
}

async function tryCreate(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(String(process.pid))
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function isHeldByOther(path: string): Promise<boolean> {
  const pid = Number(await readFile(path, 'utf8').catch(() => ''))
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCodeOf(error) === 'EPERM'
  }
}

const busy = (part: string): BusyError =>
  new BusyError(
    'ERR_BUSY_PART',
    `Cannot download: another one writes ${JSON.stringify(part)} now; wait for it, save under another name, or remove ${JSON.stringify(`${part}.lock`)} where nobody does`,
  )
