import { switchAddonOff } from './_addon-off.js'

switchAddonOff()
await import('../http/access-log.test.js')
await import('../http/event-stream.test.js')
await import('../http/fetch-adapter.test.js')
