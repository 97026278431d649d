import { StreamHandler, type IncomingDatagram } from 'moorage'

/** Sends back each line as it came. A fresh instance handles each connection. */
export class Echo extends StreamHandler {
  override async handle(): Promise<void> {
    for await (const line of this.lines()) await this.write(line)
  }
}

/** Sends back each datagram to where it came from. */
export async function echoDatagram(datagram: IncomingDatagram): Promise<void> {
  await datagram.reply(datagram.data)
}
