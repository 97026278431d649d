import asyncio
import sys


class Shout(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data.upper(), address)


async def main():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Shout, local_addr=("127.0.0.1", int(sys.argv[1])))
    print("listening on udp://%s:%d" % transport.get_extra_info("sockname"), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
