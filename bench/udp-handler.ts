import type { DatagramFunction } from 'moorage'

const handler: DatagramFunction = (datagram) => datagram.reply(datagram.data)

export default handler
