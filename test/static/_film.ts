// A film that no encoder made: WebM (RFC 9559) around the pictures that a browser gives as WebP, each of which is a key frame of VP8.

const MS = 1000

/** Of a film with a picture a second. */
export interface Film {
  readonly width: number
  readonly height: number
  /** WebP, as a canvas without transparency gives it. */
  readonly pictures: readonly Buffer[]
  /** Bytes that say nothing behind each picture: what is short is read whole before anybody seeks. */
  readonly padding: number
}

/** With its index in front of the pictures: a player knows where each is without reading the end. */
export function toWebm({ width, height, pictures, padding }: Film): Buffer {
  const header = element(
    0x1a45dfa3,
    number(0x4286, 1),
    number(0x42f7, 1),
    number(0x42f2, 4),
    number(0x42f3, 8),
    text(0x4282, 'webm'),
    number(0x4287, 2),
    number(0x4285, 2),
  )
  const duration = Buffer.alloc(8)
  duration.writeDoubleBE(pictures.length * MS)
  const info = element(
    0x1549a966,
    number(0x2ad7b1, 1_000_000),
    element(0x4489, duration),
    text(0x4d80, 'test'),
    text(0x5741, 'test'),
  )
  const picture = element(0xe0, number(0xb0, width), number(0xba, height))
  const track = element(0xae, number(0xd7, 1), number(0x73c5, 1), number(0x83, 1), text(0x86, 'V_VP8'), picture)
  const tracks = element(0x1654ae6b, track)
  const nothing = element(0xec, Buffer.alloc(padding))
  const clusters = pictures.map((webp, second) => {
    const block = Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), keyFrameOf(webp)])
    return element(0x1f43b675, number(0xe7, second * MS), element(0xa3, block), nothing)
  })
  const before = info.length + tracks.length
  // Each number in it is of 8 bytes: it is as long whatever it says.
  const index = indexOf(clusters, before + indexOf(clusters, 0).length)
  return Buffer.concat([header, element(0x18538067, info, tracks, index, ...clusters)])
}

function indexOf(clusters: readonly Buffer[], first: number): Buffer {
  let at = first
  const points = clusters.map((cluster, second) => {
    const place = element(0xb7, number(0xf7, 1), number(0xf1, at))
    at += cluster.length
    return element(0xbb, number(0xb3, second * MS), place)
  })
  return element(0x1c53bb6b, ...points)
}

/** The chunk "VP8 " of a WebP. */
function keyFrameOf(webp: Buffer): Buffer {
  for (let at = 12; at + 8 <= webp.length;) {
    const length = webp.readUInt32LE(at + 4)
    if (webp.toString('latin1', at, at + 4) === 'VP8 ') return webp.subarray(at + 8, at + 8 + length)
    at += 8 + length + (length % 2)
  }
  throw new Error('the picture is no WebP of VP8')
}

function element(id: number, ...parts: readonly Buffer[]): Buffer {
  const name = Buffer.from(id.toString(16), 'hex')
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE((1n << 56n) | BigInt(parts.reduce((sum, part) => sum + part.length, 0)))
  return Buffer.concat([name, length, ...parts])
}

function number(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return element(id, bytes)
}

const text = (id: number, value: string): Buffer => element(id, Buffer.from(value))
