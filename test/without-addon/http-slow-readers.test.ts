import { switchAddonOff } from './_addon-off.js'

switchAddonOff()
await import('../http/slow-readers.test.js')
