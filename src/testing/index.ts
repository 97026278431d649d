export { brokerContract, type BrokerContractRow, type BrokerFactory } from './broker-contract.js'
export { connectionContract, type ConnectionFactory, type ConnectionPair } from './connection-contract.js'
export type { ContractRow, Skipped } from './contract-row.js'
export { datagramContract, type DatagramContractRow, type DatagramFactory } from './datagram-contract.js'
export {
  datagramModelContract,
  type ContractDatagramServer,
  type DatagramModelFactory,
  type DatagramModelOptions,
} from './datagram-model-contract.js'
export { listenerContract, type ListenerFactory } from './listener-contract.js'
export {
  modelContract,
  type ContractServer,
  type ModelFactory,
  type ModelHooks,
  type ModelServerOptions,
} from './model-contract.js'
export { checkWireRow, checkWireTable, cutAt, everySplit, feed, type WireRow } from './splits.js'
export { FakeClock } from '../transport/memory/fake-clock.js'
export { MemoryNetwork } from '../transport/memory/network.js'
