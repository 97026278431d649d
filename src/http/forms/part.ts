/** A field of a form that is text. */
export interface FormField {
  readonly kind: 'field'
  readonly name: string
  readonly value: string
}

/**
 * A file of a form, while it comes: iterate it for its bytes. What is not read when the next part is asked for is passed
 * over.
 */
export interface FormFilePart extends AsyncIterable<Uint8Array> {
  readonly kind: 'file'
  /** Of the field. */
  readonly name: string
  /** Of the file, as the client says: without folders, '' when it said none. Not to be trusted more than any name. */
  readonly fileName: string
  /** The whole of it, folders and all. */
  readonly sentName: string
  /** As the client says; `application/octet-stream` when it does not. */
  readonly type: string
  /** The next bytes, which are yours; `null` at its end. @throws HttpError 400, 413. */
  read(): Promise<Uint8Array | null>
}

export type FormPart = FormField | FormFilePart
