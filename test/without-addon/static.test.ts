import { switchAddonOff } from './_addon-off.js'

switchAddonOff()
await import('../static/file-body.test.js')
await import('../static/files.test.js')
await import('../static/hot-cache.test.js')
await import('../static/mounted.test.js')
await import('../static/one-file.test.js')
await import('../static/rows.test.js')
