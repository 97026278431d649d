import asyncio
import sys


async def talk(reader, writer):
    name = (await reader.readline()).decode().strip()
    count = await reader.readexactly(4)
    body = await reader.readexactly(int.from_bytes(count, "big"))
    rest = await reader.readuntil(b"\0")
    writer.write(b"%s: %d bytes, then %d\n" % (name.encode(), len(body), len(rest)))
    await writer.drain()
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", int(sys.argv[1]))
    print("listening on tcp://%s:%d" % server.sockets[0].getsockname(), flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
