import { createHash, randomFillSync } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, statSync, watch } from 'node:fs'
import { createServer, connect, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { moorage, type Program } from '../cli/_programs.js'

/** Makes a file of random bytes, and tells its SHA-256 in base64. */
export async function makeFile(path: string, size: number): Promise<string> {
  const hash = createHash('sha256')
  const file = createWriteStream(path)
  for (let at = 0; at < size; at += 4 * 1024 * 1024) {
    const bytes = randomFillSync(Buffer.allocUnsafe(Math.min(4 * 1024 * 1024, size - at)))
    hash.update(bytes)
    if (!file.write(bytes)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  return hash.digest('base64')
}

export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(bytes as Buffer)
  return hash.digest('base64')
}

/** Looks at a name whenever something changes beside it: it is there whole, or not at all. */
export class NameWatch {
  readonly #path: string
  readonly #sizes: ReadonlySet<number>
  readonly #watch
  readonly #timer: NodeJS.Timeout
  readonly wrong: number[] = []
  looks = 0

  constructor(folder: string, name: string, sizes: readonly number[]) {
    this.#path = `${folder}/${name}`
    this.#sizes = new Set(sizes)
    this.#watch = watch(folder, () => this.#look())
    this.#timer = setInterval(() => this.#look(), 2)
  }

  #look(): void {
    this.looks += 1
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size
    if (size !== undefined && !this.#sizes.has(size)) this.wrong.push(size)
  }

  get isThere(): boolean {
    return existsSync(this.#path)
  }

  stop(): void {
    this.#watch.close()
    clearInterval(this.#timer)
  }
}

/** What breaks: the connection, the server, or nothing but that nothing goes on. */
export type Cut = 'connection' | 'server' | 'flow'

/**
 * A way to a server that breaks after so many bytes of each part of what goes up: the connection is reset, or the server is
 * killed with -9 and another one started. What comes meanwhile finds nobody.
 */
export class BreakingWay {
  readonly #args: readonly string[]
  readonly #listener: Server
  readonly #open = new Set<Socket>()
  #cuts: { readonly afterBytes: number; readonly what: Cut }[]
  #sent = 0
  #program: Program | undefined
  #port = 0
  made = 0

  private constructor(args: readonly string[], cuts: readonly { readonly afterBytes: number; readonly what: Cut }[]) {
    this.#args = args
    this.#cuts = [...cuts]
    this.#listener = createServer({ allowHalfOpen: true }, (client) => this.#join(client))
  }

  /** `args` are those of `moorage serve`. */
  static async open(
    args: readonly string[],
    cuts: readonly { readonly afterBytes: number; readonly what: Cut }[],
  ): Promise<BreakingWay> {
    const way = new BreakingWay(args, cuts)
    await way.#start()
    way.#listener.listen(0, '127.0.0.1')
    await once(way.#listener, 'listening')
    return way
  }

  get url(): string {
    const address = this.#listener.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
  }

  /** Bytes that went up, heads and all. */
  get sent(): number {
    return this.#sent
  }

  async #start(): Promise<void> {
    this.#program = moorage(['serve', ...this.#args, '--port', '0'])
    this.#port = Number(new URL(await this.#program.listening()).port)
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true })
    for (const socket of [client, server]) {
      this.#open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#open.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    server.pipe(client)
    client.on('data', (bytes: Buffer) => {
      this.#sent += bytes.length
      const [next] = this.#cuts
      if (next !== undefined && this.#sent >= next.afterBytes) {
        this.#cuts = this.#cuts.slice(1)
        this.made += 1
        if (next.what === 'flow') client.pause()
        else this.#cut(next.what)
      } else if (!server.write(bytes)) {
        client.pause()
        server.once('drain', () => client.resume())
      }
    })
    client.on('end', () => server.end())
  }

  #cut(what: 'connection' | 'server'): void {
    if (what === 'server') {
      this.#port = 1
      this.#program?.child.kill('SIGKILL')
      void this.#start()
    }
    for (const socket of this.#open) socket.destroy()
  }

  async close(): Promise<void> {
    this.#listener.close()
    for (const socket of this.#open) socket.destroy()
    await this.#program?.stop()
  }
}
