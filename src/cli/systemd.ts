import { sdNotify, watchdogIntervalMs } from '../transport/index.js'

/** Tells systemd, where it asks (sd_notify(3)), that the service is ready and alive; call what it returns when it stops. */
export function notifySystemd(): () => void {
  sdNotify('READY=1')
  const interval = watchdogIntervalMs()
  const timer = interval === undefined ? undefined : setInterval(() => sdNotify('WATCHDOG=1'), interval / 2)
  return () => {
    clearInterval(timer)
    sdNotify('STOPPING=1')
  }
}
