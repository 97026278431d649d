import asyncio
import sys

CHUNK = b"0123456789abcdef" * 1024
CHUNKS = 256


class Flood(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.left = 0
        self.paused = False
        transport.write(b"hello\n")

    def data_received(self, data):
        self.left += CHUNKS * data.count(b"!")
        self.go_on()

    def go_on(self):
        while self.left > 0 and not self.paused:
            self.left -= 1
            self.transport.write(CHUNK)

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False
        self.go_on()

    def eof_received(self):
        self.transport.write(b"bye\n")
        self.transport.close()
        return True

    def connection_lost(self, error):
        print("lost: %s" % error, flush=True)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Flood, "127.0.0.1", int(sys.argv[1]))
    print("listening on tcp://%s:%d" % server.sockets[0].getsockname(), flush=True)
    await server.serve_forever()


asyncio.run(main())
