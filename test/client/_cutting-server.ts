import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface Served {
  readonly url: string
  /** Bytes of bodies that were sent. */
  sent: number
  /** The ranges that were asked for; `undefined` for all of it. */
  readonly ranges: (readonly [start: number, end: number] | undefined)[]
}

export interface Cutting {
  readonly content: Buffer
  /** How many bytes of the body of this request are sent before the connection ends. */
  readonly cut?: (request: number) => number
  /** Told when what is cut was sent; the connection stays open then. */
  readonly stalled?: (sent: number) => void
  readonly hasRanges?: boolean
}

/** A server of one file, by ranges, that breaks off where it is told to. */
export async function cutting(t: TestContext, { content, cut, stalled, hasRanges = true }: Cutting): Promise<Served> {
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
    let head = ''
    socket.on('data', (bytes) => {
      head += String(bytes)
      if (!head.endsWith('\r\n\r\n')) return
      const [, first, last] = /\r\nRange: bytes=(\d+)-(\d*)/i.exec(head) ?? []
      const range =
        first === undefined || !hasRanges
          ? undefined
          : ([Number(first), last === '' ? content.length - 1 : Number(last)] as const)
      const isHead = head.startsWith('HEAD')
      head = ''
      const [start, end] = range ?? [0, content.length - 1]
      const status = range === undefined ? '200 OK' : '206 Partial Content'
      const more = range === undefined ? '' : `Content-Range: bytes ${start}-${end}/${content.length}\r\n`
      const ranges = hasRanges ? 'Accept-Ranges: bytes\r\n' : ''
      socket.write(`HTTP/1.1 ${status}\r\nETag: "one"\r\n${ranges}${more}Content-Length: ${end + 1 - start}\r\n\r\n`)
      if (isHead) return
      served.ranges.push(range)
      const most = cut?.((count += 1)) ?? Infinity
      const body = content.subarray(start, Math.min(end + 1, start + most))
      served.sent += body.length
      if (start + body.length === end + 1) socket.write(body)
      else if (stalled === undefined) socket.end(body)
      else socket.write(body, () => stalled(served.sent))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const served: Served = { url: `http://127.0.0.1:${port}/file`, sent: 0, ranges: [] }
  return served
}
