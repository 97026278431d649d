import { fromSystemError } from './errno.js'
import { requireNative } from './native.js'

/** What a service tells systemd: `READY=1`, `STOPPING=1`, `WATCHDOG=1`, `STATUS=…`, or several, a line each. */
export type NotifyState = 'READY=1' | 'STOPPING=1' | 'RELOADING=1' | 'WATCHDOG=1' | (string & {})

/**
 * Tells the service manager a state, as sd_notify(3) does. True when it was sent, false when nobody asked
 * (`NOTIFY_SOCKET` is not set).
 * @throws UsageError `ERR_NATIVE_MISSING` when systemd asks and the addon is not built; NetError `ERR_SOCKET`.
 */
export function sdNotify(state: NotifyState): boolean {
  const path = process.env['NOTIFY_SOCKET']
  if (path === undefined || !/^[/@]./.test(path)) return false
  const addon = requireNative('sd_notify')
  try {
    addon.notify(path, state)
  } catch (error) {
    throw fromSystemError(`notify the service manager at ${path}`, error)
  }
  return true
}

/**
 * The interval in milliseconds within which systemd wants `WATCHDOG=1`, or `undefined` when it watches nobody or another
 * process. Notify at half of it.
 */
export function watchdogIntervalMs(): number | undefined {
  const { WATCHDOG_USEC: interval, WATCHDOG_PID: pid } = process.env
  if (interval === undefined || !/^[1-9]\d{0,15}$/.test(interval)) return undefined
  if (pid !== undefined && pid !== '' && Number(pid) !== process.pid) return undefined
  return Number(interval) / 1000
}
