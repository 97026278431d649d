import { bindDatagram, formatAddress } from 'moorage'

const server = await bindDatagram(`udp://127.0.0.1:${process.argv[2] ?? 9999}`)
console.log(`listening on udp://${formatAddress(server.local)}`)
for await (const { data, remote } of server) await server.send(data.toReversed(), remote)
