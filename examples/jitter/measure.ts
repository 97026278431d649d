import { connectDatagram } from 'moorage'
import { decodeProbe, encodeProbe, Meter, type MeterReport } from './meter.js'

export interface MeasureOptions {
  readonly count: number
  readonly intervalMs: number
  /** How long to wait for the last answers. */
  readonly waitMs: number
}

const nowUs = (): bigint => process.hrtime.bigint() / 1000n

/** Sends probes at an even pace to a server that echoes datagrams, and reports on what came back. */
export async function measure(endpoint: string, { count, intervalMs, waitMs }: MeasureOptions): Promise<MeterReport> {
  const meter = new Meter(count)
  const socket = await connectDatagram(endpoint)
  let received = 0
  const allBack = new Promise<void>((resolve) => {
    socket.sinkTo((data) => {
      const probe = decodeProbe(data)
      if (probe === undefined) return
      meter.hear(probe.sequence, Number(nowUs() - probe.atUs) / 1000)
      received += 1
      if (received === count) resolve()
    })
  })
  for (let sequence = 0; sequence < count; sequence += 1) {
    void socket.send(encodeProbe(sequence, nowUs()))
    await pause(intervalMs)
  }
  await Promise.race([allBack, pause(waitMs)])
  await socket.close()
  return meter.report(count)
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
