# Echo at /, broadcast at /all: Python websockets.
import asyncio

import websockets

clients = set()


async def handler(ws, path=None):
    if (path or getattr(ws, "path", "/")) != "/all":
        async for message in ws:
            await ws.send(message)
        return
    clients.add(ws)
    try:
        async for message in ws:
            websockets.broadcast(clients - {ws}, message)
    finally:
        clients.discard(ws)


async def main():
    async with websockets.serve(handler, "127.0.0.1", 0, compression=None, backlog=4096) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
