import asyncio
import sys

import websockets


async def main():
    async with websockets.connect(sys.argv[1], open_timeout=5) as ws:
        print(await ws.recv())
        for text in ["hello", "Grüße", "bye"]:
            await ws.send(text)
            print(await ws.recv())
        await ws.wait_closed()
    print("closed with", ws.close_code)


asyncio.run(main())
