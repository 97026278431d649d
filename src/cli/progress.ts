import type { Progress } from '../transfer/index.js'
import type { Output } from './output.js'

const DRAW_EVERY_MS = 100
const BAR_CELLS = 24

/** One line on a terminal that is drawn again and again; nothing elsewhere, and one object at a time with `--json`. */
export class ProgressLine {
  readonly #output: Output
  #drawnAt = -Infinity
  #isShown = false

  constructor(output: Output) {
    this.#output = output
  }

  update(progress: Progress): void {
    const { interactive, json } = this.#output
    if (!interactive && !json) return
    const now = performance.now()
    if (now - this.#drawnAt < (json ? 10 * DRAW_EVERY_MS : DRAW_EVERY_MS)) return
    this.#drawnAt = now
    if (json) {
      this.#output.note('', { event: 'progress', ...progress })
      return
    }
    this.#isShown = true
    process.stderr.write(`\r\u{1b}[2K${formatProgress(progress, process.stderr.columns)}`)
  }

  /** Takes the line away, so that words can be written. */
  clear(): void {
    if (this.#isShown) process.stderr.write('\r\u{1b}[2K')
    this.#isShown = false
    this.#drawnAt = -Infinity
  }
}

/** Of one file: how far it is, and how fast since the first call. */
export function progressOf(line: ProgressLine, name: string): (bytes: number, size: number) => void {
  const began = performance.now()
  let first = -1
  return (bytes, size) => {
    if (first === -1) first = bytes
    const seconds = Math.max((performance.now() - began) / 1000, 0.001)
    const transferredBytes = bytes - first
    line.update({
      name,
      bytes,
      size,
      totalBytes: bytes,
      totalSize: size,
      transferredBytes,
      bytesPerSecond: transferredBytes / seconds,
    })
  }
}

const MIN_NAME_CELLS = 8

/**
 * `photos/1.jpg  [=====>      ]  42 %  118 MiB/s  0:07 left`. It is shorter than the terminal is wide, since a line that
 * wraps cannot be taken away: a narrow one does without the bar, and then without the name.
 */
export function formatProgress({ name, totalBytes, totalSize, bytesPerSecond }: Progress, columns: number): string {
  const width = (columns > 0 ? columns : 80) - 1
  const share = totalSize === 0 ? 1 : Math.min(1, totalBytes / totalSize)
  const filled = Math.round(share * BAR_CELLS)
  const bar = `  [${'='.repeat(filled)}${' '.repeat(BAR_CELLS - filled)}]`
  const left = bytesPerSecond > 0 ? `  ${formatTime((totalSize - totalBytes) / bytesPerSecond)} left` : ''
  const tail = ` ${String(Math.floor(share * 100)).padStart(3)} %  ${formatBytes(bytesPerSecond)}/s${left}`
  const full = bar.length + tail.length + MIN_NAME_CELLS <= width ? bar + tail : ` ${tail}`
  const room = width - full.length
  if (room < MIN_NAME_CELLS) return full.trimStart().slice(0, width)
  return `${name.length > room ? `…${name.slice(1 - room)}` : name}${full}`
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`
}

function formatTime(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
