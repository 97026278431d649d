import { switchAddonOff } from './_addon-off.js'

switchAddonOff()
await import('../http/serve.test.js')
