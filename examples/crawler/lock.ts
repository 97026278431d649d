import { readFileSync, rmSync, writeFileSync } from 'node:fs'

/**
 * One process at a time: a file with its id. That of a process which is gone, as behind `kill -9`, counts for nothing.
 * @throws TypeError when another process has it. Returns what gives it back.
 */
export function takeLock(path: string): () => void {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if (!isErrno(error) || error.code !== 'EEXIST') throw error
    }
    const owner = Number(readFileSync(path, 'utf8'))
    if (owner !== process.pid && isAlive(owner))
      throw new TypeError(
        `Cannot crawl: process ${owner} does so in this folder; where that is another program, remove ${path}`,
      )
    rmSync(path, { force: true })
  }
}

function isAlive(id: number): boolean {
  if (!Number.isSafeInteger(id) || id < 1) return false
  try {
    return process.kill(id, 0)
  } catch (error) {
    return isErrno(error) && error.code === 'EPERM'
  }
}

const isErrno = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'code' in error
