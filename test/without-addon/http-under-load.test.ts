import { switchAddonOff } from './_addon-off.js'

switchAddonOff()
await import('../http/under-load.test.js')
