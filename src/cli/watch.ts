import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EXIT, type CommandContext } from './command.js'

/** Editors write a file in several steps: what changes within this time is one change. */
const SETTLE_MS = 150
const IGNORED = /(^|\/)(node_modules|\.[^/]*)(\/|$)|~$|\.sw[px]$/

/**
 * Runs this same command line without `--watch` in a process of its own, and again each time a file in the module's
 * folder changes: nothing of the old run is left in the new one.
 */
export async function runAgainOnChange(module: string, { output, signal }: CommandContext): Promise<number> {
  const folder = dirname(resolve(module))
  const args = process.argv.slice(2).filter((argument) => argument !== '--watch' && argument !== '-w')
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let restarting = Promise.resolve()
  const startChild = (): void => {
    child = spawn(
      process.execPath,
      [...process.execArgv, fileURLToPath(new URL('./main.js', import.meta.url)), ...args],
      { stdio: 'inherit' },
    )
    child.on('exit', (code) => {
      if (code !== null && code !== EXIT.ok && !signal.aborted)
        output.warn('the program ended; it starts again when a file changes', { code })
    })
  }
  const stopChild = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  const changed = (file: string | null): void => {
    if (file === null || IGNORED.test(file)) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      output.note(`${file} changed: starting again`)
      restarting = restarting.then(stopChild).then(() => {
        if (!signal.aborted) startChild()
      })
    }, SETTLE_MS)
  }
  const watcher = watch(folder, { recursive: true }, (_event, file) => changed(file))
  startChild()
  if (!signal.aborted) await once(signal, 'abort')
  watcher.close()
  clearTimeout(timer)
  await restarting
  await stopChild()
  return EXIT.ok
}
