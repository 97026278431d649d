import { tryParseMediaType } from '../../engine/http/media-type.js'
import { ReceiveBuffer } from '../../engine/receive-buffer.js'
import { HttpError } from '../response.js'
import { readMultipart, type FormSource } from './multipart.js'
import type { FormSettings } from './options.js'
import type { FormPart } from './part.js'

/** RFC 2046 §5.1.1: what a boundary is made of. */
const BOUNDARY = /^[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]$/

/**
 * The parts of a form, whichever of the two encodings it has; none when there is no body.
 * @throws HttpError 400, 413, 415; what ended the body.
 */
export function readForm(
  body: FormSource | undefined,
  contentType: string | undefined,
  settings: FormSettings,
): AsyncGenerator<FormPart, void, undefined> {
  const media = tryParseMediaType(contentType ?? '')
  switch (media === undefined ? '' : `${media.type}/${media.subtype}`) {
    case 'application/x-www-form-urlencoded':
      return readUrlencoded(body, settings)
    case 'multipart/form-data': {
      const boundary = media?.parameters.get('boundary') ?? ''
      if (!BOUNDARY.test(boundary)) throw new HttpError(400, 'The form has no boundary, or one that cannot be')
      return readMultipart(body ?? { read: () => Promise.resolve(null) }, boundary, settings)
    }
    default:
      throw new HttpError(415, 'A form is application/x-www-form-urlencoded or multipart/form-data', {
        headers: { 'Accept-Post': 'application/x-www-form-urlencoded, multipart/form-data' },
      })
  }
}

const AMPERSAND = 0x26
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** As URLs are: WHATWG URL §5.1. Pieces are decoded one by one, so that one field at most is held. */
async function* readUrlencoded(
  body: FormSource | undefined,
  { maxFields, maxFieldBytes, maxNameBytes }: FormSettings,
): AsyncGenerator<FormPart, void, undefined> {
  // Each byte of a value may come as three.
  const maxPairBytes = 3 * (maxFieldBytes + maxNameBytes) + 1
  let count = 0
  const parse = (pair: string): FormPart | undefined => {
    if (pair === '') return undefined
    const [[name, value] = ['', '']] = new URLSearchParams(pair)
    count += 1
    if (count > maxFields) throw new HttpError(413, `The form has more than ${maxFields} fields`)
    if (Buffer.byteLength(name) > maxNameBytes)
      throw new HttpError(413, `A name in the form has more than ${maxNameBytes} bytes`)
    if (Buffer.byteLength(value) > maxFieldBytes)
      throw new HttpError(413, `A field of the form has more than ${maxFieldBytes} bytes`)
    return { kind: 'field', name, value }
  }
  // Each byte is looked at once, however many pieces it comes in.
  const held = new ReceiveBuffer()
  for (let bytes = await body?.read(); bytes !== null && bytes !== undefined; bytes = await body?.read()) {
    let from = held.length
    held.push(bytes)
    for (let end = held.indexOf(AMPERSAND, from); end !== -1; end = held.indexOf(AMPERSAND, from)) {
      const field = parse(decoder.decode(held.peek(0, end)))
      held.drop(end + 1)
      from = 0
      if (field !== undefined) yield field
    }
    if (held.length > maxPairBytes) throw new HttpError(413, 'A field of the form is too long')
  }
  const field = parse(decoder.decode(held.peek()))
  if (field !== undefined) yield field
}
