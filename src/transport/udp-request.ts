import { linkSignals, throwIfAborted, type AbortSignalLike } from '../base/cancellation.js'
import { TimeoutError } from '../base/errors.js'
import { count, milliseconds, readOptions, value, type OptionSpecs } from '../base/options.js'
import { formatAddress, type Address } from './address.js'
import { sameAddress } from './datagram-core.js'
import { DATAGRAM_OPTIONS } from './datagram-options.js'
import type { Datagram, DatagramSocket } from './datagram-socket.js'
import { connectDatagram } from './datagrams.js'
import type { Endpoint } from './endpoint.js'
import { systemClock } from './system-clock.js'

export type AnswerMatch = (answer: Datagram) => boolean

export interface RequestSettings {
  readonly timeoutMs: number
  readonly retries: number
  readonly matches: AnswerMatch | undefined
  readonly to: Address | undefined
  readonly signal: AbortSignalLike | undefined
}

export type RequestOptions = Partial<RequestSettings>

export const REQUEST_OPTIONS: OptionSpecs<RequestSettings> = {
  timeoutMs: milliseconds(
    1000,
    'How long to wait for the answer to the first try; each further try waits twice as long as the one before (RFC 8085, section 3.1.1).',
  ),
  retries: count(3, 'How often the request is sent again. With the defaults no answer is known after 15 s.', {
    min: 0,
    max: 16,
  }),
  matches: value<AnswerMatch | undefined>(
    'a function',
    undefined,
    'any datagram of the peer',
    'Whether a datagram is the answer. A late answer to an earlier request looks like one to this: compare what identifies yours.',
    (given): given is AnswerMatch => typeof given === 'function',
  ),
  to: value<Address | undefined>(
    'an address',
    undefined,
    'the peer of a connected socket',
    'Whom to ask, over a socket that is not connected.',
    (given): given is Address => typeof given === 'object' && given !== null && 'kind' in given,
  ),
  signal: DATAGRAM_OPTIONS.signal,
}

/** Why a wait for one answer ended, where that is no error: the request is sent again. */
const TIME_IS_OVER: unique symbol = Symbol('moorage.time-is-over')

const isEndpoint = (target: string | Endpoint | DatagramSocket): target is string | Endpoint =>
  typeof target === 'string' || 'scheme' in target

/**
 * Sends a datagram and resolves with its answer, sending again while none comes: the request must be one that may be
 * received twice. Over an open socket it is the reader for that time, and drops what is no answer.
 * @throws TimeoutError `ERR_REQUEST_TIMEOUT`; NetError `ERR_DATAGRAM_UNREACHABLE` at once when the peer's machine
 *   refuses; what `connectDatagram`, `send` and `receive` throw; `signal.reason`.
 * @example
 * const { data } = await request('udp://127.0.0.1:9999', 'ping', { timeoutMs: 200 })
 */
export async function request(
  target: string | Endpoint | DatagramSocket,
  data: Uint8Array | string,
  options?: RequestOptions,
): Promise<Datagram> {
  const settings = readOptions('request', REQUEST_OPTIONS, options)
  if (!isEndpoint(target)) return ask(target, data, settings)
  const { signal } = settings
  const socket = await connectDatagram(target, signal === undefined ? {} : { signal })
  try {
    return await ask(socket, data, settings)
  } finally {
    socket.destroy()
  }
}

async function ask(socket: DatagramSocket, data: Uint8Array | string, settings: RequestSettings): Promise<Datagram> {
  const { retries, to, signal } = settings
  let { timeoutMs } = settings
  let waitedMs = 0
  for (let tries = 0; tries <= retries; tries += 1) {
    throwIfAborted(signal)
    await socket.send(data, to)
    const answer = await awaitAnswer(socket, settings, timeoutMs)
    if (answer !== undefined) return answer
    waitedMs += timeoutMs
    timeoutMs *= 2
  }
  const peer = to ?? socket.remote
  const whom = peer === undefined ? 'the peer' : formatAddress(peer)
  throw new TimeoutError(
    'ERR_REQUEST_TIMEOUT',
    `Cannot get an answer from ${whom}: none came in ${waitedMs} ms and ${retries + 1} tries`,
    { details: { timeoutMs: waitedMs, retries } },
  )
}

/** The answer, or `undefined` when the time is over. */
async function awaitAnswer(
  socket: DatagramSocket,
  { matches, to, signal }: RequestSettings,
  timeoutMs: number,
): Promise<Datagram | undefined> {
  const linked = linkSignals([signal], { clock: systemClock, timeoutMs, reason: () => TIME_IS_OVER })
  try {
    for (;;) {
      const answer = await socket.receive({ signal: linked })
      if (answer === null) {
        throwIfAborted(socket.signal)
        return undefined
      }
      const isFromPeer = to === undefined || sameAddress(answer.remote, to)
      if (isFromPeer && (matches === undefined || matches(answer))) return answer
    }
  } catch (error) {
    if (error === TIME_IS_OVER) return undefined
    throw error
  } finally {
    linked.unlink()
  }
}
