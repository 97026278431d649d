import { test } from 'node:test'
import { datagramContract, type DatagramFactory } from '#src/testing/datagram-contract.js'

export function runDatagramContract(name: string, factory: DatagramFactory): void {
  for (const row of datagramContract) {
    test(`${name}: ${row.name}`, async (t) => {
      const result = await row.run(factory)
      if (result !== undefined) t.skip(result.skipped)
    })
  }
}
