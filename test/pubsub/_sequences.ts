import fc from 'fast-check'
import assert from 'node:assert/strict'
import type { Broker } from '#src/pubsub/broker.js'
import type { Position } from '#src/pubsub/position.js'
import type { RoomMessage, Subscription } from '#src/pubsub/room.js'
import { turns, until } from '#src/testing/contract-row.js'

/** What is done to one room, by one of several brokers and one of a few listeners. */
export type Step =
  | { readonly do: 'publish'; readonly broker: number; readonly bytes: number }
  | { readonly do: 'burst'; readonly broker: number; readonly count: number }
  | {
      readonly do: 'subscribe'
      readonly broker: number
      readonly listener: number
      readonly how: 'now' | 'resume' | 'last'
    }
  | { readonly do: 'close'; readonly listener: number }
  | { readonly do: 'turns'; readonly count: number }
  | { readonly do: 'stall' | 'flow' }

export const LISTENERS = 4

export function steps(brokers: number): fc.Arbitrary<readonly Step[]> {
  const broker = fc.nat(brokers - 1)
  const listener = fc.nat(LISTENERS - 1)
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const), broker, bytes: fc.nat(300) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('burst' as const), broker, count: fc.integer({ min: 1, max: 30 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('subscribe' as const),
        broker,
        listener,
        how: fc.constantFrom('now' as const, 'resume' as const, 'last' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('close' as const), listener }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stall' as const, 'flow' as const) }) },
  )
  return fc.array(step, { maxLength: 60 })
}

/** One who listens, leaves and comes back, and holds to account what it is given. */
class Accountant {
  subscription: Subscription | undefined
  /** Where it is: the next message must be the one behind. */
  at: Position | undefined
  readonly received = new Map<number, string>()
  readonly wrong: unknown[] = []
  closed = false

  /** A listener that throws is reported elsewhere: what is wrong is kept for the end. */
  check(judge: () => void): void {
    try {
      judge()
    } catch (error) {
      this.wrong.push(error)
    }
  }

  message(message: RoomMessage): void {
    assert.equal(this.closed, false, 'nothing comes after close')
    const { at } = this
    if (at !== undefined) {
      assert.equal(message.epoch, at.epoch)
      assert.equal(message.offset, at.offset + 1, `offset ${message.offset} follows ${at.offset}`)
    }
    this.at = { epoch: message.epoch, offset: message.offset }
    this.received.set(message.offset, String(message.data))
  }

  gap(after: Position, until: Position, missed: number | undefined): void {
    assert.ok(this.at !== undefined)
    assert.deepEqual(after, this.at, 'a gap begins where it is')
    assert.ok(until.epoch !== after.epoch || until.offset > after.offset, 'a gap is never of nothing')
    if (until.epoch === after.epoch) assert.equal(missed, until.offset - after.offset)
    this.at = until
  }
}

/** Runs the steps; every listener sees each message once, in order, or is told what it misses. */
export async function runSequence(
  brokers: readonly Broker[],
  sequence: readonly Step[],
  stall: (stalled: boolean) => void,
): Promise<void> {
  const accountants: Accountant[] = Array.from({ length: LISTENERS }, () => new Accountant())
  const all = new Set<Accountant>()
  const published: Promise<readonly [number, string] | undefined>[] = []
  const working: Promise<unknown>[] = []
  const brokerAt = (i: number): Broker => brokers[i] as Broker
  let words = 0
  const publish = (broker: number, bytes: number): void => {
    const text = `${(words += 1)} `.padEnd(bytes, 'x')
    published.push(
      brokerAt(broker)
        .room('r')
        .publish(text)
        .then(
          ({ offset }) => [offset, text] as const,
          // Refused at a bound: it has no offset.
          () => undefined,
        ),
    )
  }
  for (const step of sequence) {
    switch (step.do) {
      case 'publish':
        publish(step.broker, step.bytes)
        break
      case 'burst':
        for (let i = 0; i < step.count; i += 1) publish(step.broker, 0)
        break
      case 'subscribe': {
        const before = accountants[step.listener] as Accountant
        if (before.subscription !== undefined || before.closed) break
        const accountant = new Accountant()
        accountants[step.listener] = accountant
        all.add(accountant)
        const from = step.how === 'resume' ? before.at : undefined
        accountant.at = from
        const options = from === undefined ? { last: step.how === 'last' ? 5 : 0 } : { from }
        const subscribing = brokerAt(step.broker)
          .room('r')
          .subscribe(
            {
              message: (message) => accountant.check(() => accountant.message(message)),
              gap: ({ after, until, missed }) => accountant.check(() => accountant.gap(after, until, missed)),
            },
            options,
          )
          .then(
            (subscription) => {
              accountant.subscription = subscription
              accountant.at ??= subscription.position
            },
            // Refused at a bound: it may try again.
            (error: unknown) => {
              accountant.check(() => assert.equal((error as { code?: string }).code, 'ERR_QUEUE_LIMIT'))
              accountants[step.listener] = before
            },
          )
        working.push(subscribing)
        // What comes next to this listener waits for it; where the way is stalled, the others go on.
        await Promise.race([subscribing, turns(5)])
        break
      }
      case 'close': {
        const accountant = accountants[step.listener] as Accountant
        void accountant.subscription?.close()
        if (accountant.subscription !== undefined) accountants[step.listener] = resumable(accountant)
        break
      }
      case 'turns':
        await turns(step.count)
        break
      case 'stall':
      case 'flow':
        stall(step.do === 'stall')
    }
  }
  stall(false)
  await Promise.all(working)
  const taken = new Map((await Promise.all(published)).filter((one) => one !== undefined))
  assert.deepEqual(
    [...taken.keys()].sort((a, b) => a - b),
    Array.from({ length: taken.size }, (_, i) => i + 1),
    'offsets are given once each',
  )
  for (const accountant of all) {
    const { subscription } = accountant
    if (subscription !== undefined && !subscription.closed) {
      await until('all to come', () => accountant.wrong.length > 0 || subscription.position.offset === taken.size)
      assert.equal(accountant.at?.offset, taken.size)
    }
    assert.deepEqual(accountant.wrong, [])
    for (const [offset, text] of accountant.received) assert.equal(text, taken.get(offset))
  }
}

/** Its place, for whoever comes back. */
function resumable(left: Accountant): Accountant {
  left.closed = true
  const next = new Accountant()
  next.at = left.subscription?.position
  return next
}
