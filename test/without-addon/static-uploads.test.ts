import { switchAddonOff } from './_addon-off.js'

switchAddonOff()
await import('../static/uploads.test.js')
