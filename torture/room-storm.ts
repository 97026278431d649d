import { get } from 'moorage/client'
import { messageOf } from '#src/base/errors.js'
import { openBroker } from 'moorage/pubsub'
import type { RoomsClient } from 'moorage/websocket'
import { Cluster, type BrokerKind } from './cluster.js'
import { enterRooms, followByEvents, followByLines, followByWebSocket, type Follower } from './room-clients.js'
import { RoomRecord, RoomTruth } from './room-record.js'

export interface StormPlan {
  readonly broker: BrokerKind
  readonly nodes: number
  readonly clients: number
  readonly rooms: number
  readonly messages: number
  /** Between the kills of servers, in milliseconds. */
  readonly killEveryMs: number
  readonly brokerRestarts: number
  readonly say?: (line: string) => void
}

export interface StormReport {
  /** Each a sentence; none is how it should be. */
  readonly faults: readonly string[]
  readonly acknowledged: number
  /** Publishes whose answer was lost, and how many of those stand in a room. */
  readonly unknown: number
  readonly unknownTaken: number
  /** Why those were not answered, and how often. */
  readonly reasons: Readonly<Record<string, number>>
  readonly delivered: number
  readonly gaps: number
  readonly missed: number
  readonly kills: number
  readonly restarts: number
  readonly seconds: number
}

interface Published {
  readonly room: string
  readonly text: string
  /** Where it stands, when an answer came. */
  offset: number | undefined
}

const PUBLISHERS = 12
const UNDER_WAY = 16

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Servers behind haproxy, clients in rooms, messages; servers are killed and the broker is restarted meanwhile. */
export async function storm(plan: StormPlan): Promise<StormReport> {
  const began = performance.now()
  const say = plan.say ?? (() => undefined)
  await using cluster = await Cluster.start(plan.broker, plan.nodes)
  const truths = Array.from({ length: plan.rooms }, (_, i) => new RoomTruth(`room-${i}`))
  const followers = await followAll(cluster, plan, truths)
  say(`${followers.length} clients follow ${plan.rooms} rooms of ${plan.nodes} servers`)
  const trouble = makeTrouble(cluster, plan, say)
  const { published, reasons } = await publishAll(cluster, plan, truths, say)
  await trouble.end()
  say('everything is published; waiting for those who are behind')
  const faults = [...(await settle(cluster, truths, followers)), ...(await checkCounts(cluster))]
  await Promise.all(followers.map((follower) => follower.stop()))
  for (const { kind, record } of followers) faults.push(...record.faults.map((fault) => `${kind}: ${fault}`))
  const { unknown, unknownTaken } = checkPublished(truths, published, faults)
  const sum = (read: (record: RoomRecord) => number): number =>
    followers.reduce((total, { record }) => total + read(record), 0)
  return {
    faults,
    acknowledged: published.length - unknown,
    unknown,
    unknownTaken,
    reasons: Object.fromEntries(reasons),
    delivered: sum(({ heard }) => heard),
    gaps: sum(({ gaps }) => gaps),
    missed: sum(({ missed }) => missed),
    kills: trouble.kills(),
    restarts: trouble.restarts(),
    seconds: (performance.now() - began) / 1000,
  }
}

function followAll(
  { http, tcp }: Cluster,
  { clients }: StormPlan,
  truths: readonly RoomTruth[],
): Promise<readonly Follower[]> {
  return Promise.all(
    Array.from({ length: clients }, async (_, i) => {
      const truth = truths[i % truths.length] ?? new RoomTruth('none')
      const record = new RoomRecord(truth)
      const kind = Math.floor(i / truths.length) % 3
      if (kind === 0) return followByWebSocket(http, record)
      return kind === 1 ? followByEvents(http, record) : followByLines(tcp, record)
    }),
  )
}

interface Trouble {
  kills(): number
  restarts(): number
  /** All is up again. */
  end(): Promise<void>
}

function makeTrouble(cluster: Cluster, plan: StormPlan, say: (line: string) => void): Trouble {
  let [kills, restarts] = [0, 0]
  const over = new AbortController()
  const killing = (async () => {
    for (;;) {
      await sleep(plan.killEveryMs, over.signal)
      if (over.signal.aborted) return
      const node = kills % plan.nodes
      await cluster.killNode(node)
      kills += 1
      say(`server ${node} was killed`)
      await sleep(plan.killEveryMs / 4)
      await cluster.startNode(node)
    }
  })()
  const restarting = (async () => {
    for (const signal of (['SIGTERM', 'SIGKILL'] as const).slice(0, plan.brokerRestarts)) {
      await sleep(plan.killEveryMs * 1.5)
      await cluster.stopBroker(signal)
      await sleep(300)
      await cluster.startBroker()
      restarts += 1
      say(`the broker was restarted behind ${signal}`)
    }
  })()
  return {
    kills: () => kills,
    restarts: () => restarts,
    async end() {
      await restarting
      over.abort()
      await killing
    },
  }
}

async function publishAll(
  { http }: Cluster,
  { messages }: StormPlan,
  truths: readonly RoomTruth[],
  say: (line: string) => void,
): Promise<{ readonly published: readonly Published[]; readonly reasons: ReadonlyMap<string, number> }> {
  const published: Published[] = []
  const reasons = new Map<string, number>()
  const publish = async (client: RoomsClient): Promise<void> => {
    while (published.length < messages) {
      const number = published.length
      const room = truths[number % truths.length]?.room ?? ''
      const one: Published = { room, text: `message ${number}`, offset: undefined }
      published.push(one)
      if (number % 10_000 === 0) say(`${number} messages`)
      try {
        one.offset = (await client.publish(room, one.text))?.offset
      } catch (error) {
        // The server was killed before it answered: nobody knows.
        const why = messageOf(error)
        reasons.set(why, (reasons.get(why) ?? 0) + 1)
        await sleep(50)
      }
    }
  }
  const clients = await Promise.all(Array.from({ length: PUBLISHERS }, () => enterRooms(http)))
  await Promise.all(clients.flatMap((client) => Array.from({ length: UNDER_WAY }, () => publish(client))))
  await Promise.all(clients.map((client) => client.close()))
  return { published, reasons }
}

/** Waits until everybody is at the head of its room. */
async function settle(
  { brokerUrl }: Cluster,
  truths: readonly RoomTruth[],
  followers: readonly Follower[],
): Promise<readonly string[]> {
  await using broker = await openBroker(brokerUrl)
  const heads = new Map<string, number>()
  for (const { room } of truths) heads.set(room, (await broker.room(room).history({ maxMessages: 0 })).head.offset)
  const deadline = performance.now() + 30_000
  const behind = (): readonly Follower[] =>
    followers.filter(({ record }) => (record.position?.offset ?? 0) !== heads.get(record.room))
  while (behind().length > 0 && performance.now() < deadline) await sleep(50)
  return behind().map(
    ({ kind, record }) => `${kind}: ${record.room} stands at ${record.position?.offset} of ${heads.get(record.room)}`,
  )
}

/** On each server what was accepted is what was delivered, dropped and failed, once nothing is on its way. */
async function checkCounts({ nodeUrls }: Cluster): Promise<readonly string[]> {
  const faults: string[] = []
  for (const url of nodeUrls) {
    const told: unknown = await (await get(`${url}/counts`)).json()
    const counts = typeof told === 'object' && told !== null && 'messages' in told ? told.messages : undefined
    if (typeof counts !== 'object' || counts === null) faults.push(`${url} tells no counts`)
    else {
      const {
        accepted = NaN,
        delivered = NaN,
        dropped = NaN,
        failed = NaN,
      } = Object.fromEntries(Object.entries(counts))
      if (accepted !== delivered + dropped + failed) faults.push(`${url}: ${JSON.stringify(counts)} does not add up`)
    }
  }
  return faults
}

/** What was acknowledged stands where it was said to, once; what was not stands there at most once. */
function checkPublished(
  truths: readonly RoomTruth[],
  published: readonly Published[],
  faults: string[],
): { unknown: number; unknownTaken: number } {
  const byRoom = new Map(truths.map((truth) => [truth.room, { truth, counts: truth.counts() }]))
  let [unknown, unknownTaken] = [0, 0]
  for (const { room, text, offset } of published) {
    const found = byRoom.get(room)
    const count = found?.counts.get(text) ?? 0
    if (count > 1) faults.push(`${room}: ${JSON.stringify(text)} stands there ${count} times`)
    if (offset === undefined) {
      unknown += 1
      unknownTaken += count
    } else if (found?.truth.textAt(offset) !== undefined && found.truth.textAt(offset) !== text) {
      faults.push(`${room}: at ${offset} is ${JSON.stringify(found.truth.textAt(offset))}, not ${JSON.stringify(text)}`)
    } else if (count === 0) faults.push(`${room}: nobody heard ${JSON.stringify(text)}, acknowledged at ${offset}`)
  }
  return { unknown, unknownTaken }
}
