import { byteCount, count, readOptions, type OptionSpecs } from '../../base/options.js'

export interface FormSettings {
  readonly maxFields: number
  readonly maxFieldBytes: number
  readonly maxFiles: number
  readonly maxFileBytes: number
  readonly maxNameBytes: number
  readonly maxPartHeaderBytes: number
  readonly maxFormBytes: number
}
export type FormOptions = Partial<FormSettings>

export const FORM_OPTIONS: OptionSpecs<FormSettings> = {
  maxFields: count(1000, 'Fields of a form that are no files. PHP and Django stop at 1,000.', { min: 0 }),
  maxFieldBytes: byteCount(
    1024 * 1024,
    'The longest value of a field; it is held in memory. Busboy and multer stop at 1 MiB.',
  ),
  maxFiles: count(100, 'Files of a form. PHP stops at 20, Django at 100.', { min: 0 }),
  maxFileBytes: byteCount(
    16 * 1024 * 1024,
    'The longest file of a form, as long as the longest body is by default. It is never held in memory.',
    { min: 0 },
  ),
  maxNameBytes: byteCount(255, 'The longest name of a field or a file. File systems take 255 bytes.'),
  maxPartHeaderBytes: byteCount(
    8192,
    'The fields in front of a part together, which are held in memory. Go stops at 10,000 of them, Busboy at 80 KiB.',
  ),
  maxFormBytes: byteCount(
    16 * 1024 * 1024,
    'The whole body. It counts in place of maxBodyBytes of the server, whichever is higher: a form that may have large files raises it.',
  ),
}

export const readFormOptions = (options: FormOptions | undefined): FormSettings =>
  readOptions('a form', FORM_OPTIONS, options)
