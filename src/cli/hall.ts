import type { AbortSignalLike } from '../base/index.js'
import { HttpError } from '../http/index.js'
import { formatAddress } from '../transport/index.js'
import type { Message, WebSocketPeer } from '../websocket/index.js'
import type { CommandContext } from './command.js'
import type { WebSocketTalkOptions } from './websocket-commands.js'
import { checkEnd, converse, dumps, execTalk, keepPinging, messagesOf, print, talk } from './websocket-talk.js'

export interface HallOptions extends WebSocketTalkOptions {
  readonly 'keep-open': boolean | undefined
  readonly max: number | undefined
}

/** Those who are connected to this terminal: one, or with --keep-open one after the other; with --exec several at once. */
export class Hall {
  readonly #options: HallOptions
  readonly #context: CommandContext
  readonly #most: number
  /** Connections that have a place. */
  #there = 0
  readonly #waiting = new Set<() => void>()
  readonly #feeder: Feeder
  #leave: (() => void) | undefined
  readonly over: Promise<void>

  constructor(options: HallOptions, context: CommandContext) {
    this.#options = options
    this.#context = context
    this.#most = options['keep-open'] === true && options.exec !== undefined ? (options.max ?? 100) : 1
    this.#feeder = new Feeder(options)
    this.over = new Promise((resolve) => (this.#leave = resolve))
  }

  leave(): void {
    this.#leave?.()
  }

  /**
   * A place for a connection, until it is gone or what this gives is called. Waits for one with --keep-open.
   * @throws HttpError 503 without; the reason of `gone`, when the connection did not wait so long.
   */
  async enter(gone: AbortSignalLike): Promise<() => void> {
    if (this.#there < this.#most) this.#there += 1
    else if (this.#options['keep-open'] === true) await this.#turn(gone)
    else throw new HttpError(503, 'Somebody is connected already', { headers: { 'Retry-After': '1' } })
    let hasLeft = false
    const leave = (): void => {
      if (hasLeft) return
      hasLeft = true
      this.#giveOn()
    }
    gone.addEventListener('abort', leave, { once: true })
    if (gone.aborted) leave()
    return leave
  }

  #turn(gone: AbortSignalLike): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = (): void => {
        gone.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        this.#waiting.delete(take)
        reject(gone.reason)
      }
      this.#waiting.add(take)
      gone.addEventListener('abort', giveUp, { once: true })
    })
  }

  #giveOn(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#there -= 1
      return
    }
    this.#waiting.delete(next)
    next()
  }

  async attend(peer: WebSocketPeer): Promise<void> {
    const { output } = this.#context
    const remote = formatAddress(peer.remote)
    output.detail(`connected: ${remote}`, { event: 'connected', remote })
    try {
      await this.#meet(peer, remote)
    } catch (error) {
      output.error(error)
    }
    output.detail(`disconnected: ${remote}`, { event: 'disconnected', remote })
    if (this.#options['keep-open'] !== true) this.leave()
  }

  async #meet(peer: WebSocketPeer, remote: string): Promise<void> {
    const options = this.#options
    if (options.exec !== undefined) {
      await execTalk(peer, options.exec, { MOORAGE_REMOTE: remote, MOORAGE_LOCAL: formatAddress(peer.local) }, options)
      return
    }
    if (options['keep-open'] === true) {
      await this.#feeder.feed(peer)
      return
    }
    const isTerminal = process.stdin.isTTY && process.stdout.isTTY && options.binary !== true
    const report = isTerminal
      ? await converse(peer, this.#context.output, options)
      : await talk(peer, process.stdin, options)
    checkEnd(report, this.#context.output)
  }
}

/** The input outlives the connections: what is typed goes to whoever is connected, or is the next to be. */
class Feeder {
  readonly #options: WebSocketTalkOptions
  #peer: WebSocketPeer | undefined
  #isReading = false
  #wake: (() => void) | undefined

  constructor(options: WebSocketTalkOptions) {
    this.#options = options
  }

  async feed(peer: WebSocketPeer): Promise<void> {
    const dump = dumps(this.#options.hex)
    const stop = keepPinging(peer, this.#options.ping)
    this.#peer = peer
    this.#wake?.()
    // The input is destroyed when the command ends.
    if (!this.#isReading) this.#read(dump.out).catch(() => undefined)
    await print(peer, this.#options, dump)
    if (this.#peer === peer) this.#peer = undefined
    stop()
  }

  async #read(dumpOut: (message: Message) => void): Promise<void> {
    this.#isReading = true
    for await (const message of messagesOf(process.stdin, this.#options.binary)) {
      while (!(await this.#send(message)))
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      dumpOut(message)
    }
  }

  /** False when nobody is there any more. */
  async #send(message: Message): Promise<boolean> {
    const peer = this.#peer
    if (peer === undefined) return false
    if (await peer.send(message)) return true
    if (this.#peer === peer) this.#peer = undefined
    return this.#send(message)
  }
}
