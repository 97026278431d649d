export { files } from './files.js'
export type { FilesOptions } from './options.js'
