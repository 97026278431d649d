export { file, files } from './files.js'
export type { FilesOptions } from './options.js'
export type { UploadOptions } from './upload/options.js'
export { CORS_FIELDS, ISOLATION_FIELDS } from './presets.js'
