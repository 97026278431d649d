import asyncio
import sys


async def main():
    host, port = sys.argv[1].removeprefix("tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"one\ntwo\n")
    await writer.drain()
    writer.write_eof()
    async for line in reader:
        print(line.decode().strip())
    writer.close()
    await writer.wait_closed()


asyncio.run(main())
