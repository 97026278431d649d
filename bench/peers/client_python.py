# client_python.py requests|httpx|aiohttp <url> <connections> <milliseconds>
import asyncio
import json
import os
import sys
import threading
import time

kind, url, connections, milliseconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def with_requests(seconds):
    import requests

    counts = [0] * connections
    until = time.monotonic() + seconds

    def loop(i):
        with requests.Session() as session:
            while time.monotonic() < until:
                assert len(session.get(url).text) == 1024
                counts[i] += 1

    threads = [threading.Thread(target=loop, args=(i,)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


async def with_httpx(seconds):
    import httpx

    count = 0
    until = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(limits=limits) as session:

        async def loop():
            nonlocal count
            while time.monotonic() < until:
                assert len((await session.get(url)).text) == 1024
                count += 1

        await asyncio.gather(*(loop() for _ in range(connections)))
    return count


async def with_aiohttp(seconds):
    import aiohttp

    count = 0
    until = time.monotonic() + seconds
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:

        async def loop():
            nonlocal count
            while time.monotonic() < until:
                async with session.get(url) as response:
                    assert len(await response.text()) == 1024
                count += 1

        await asyncio.gather(*(loop() for _ in range(connections)))
    return count


def run(seconds):
    if kind == "requests":
        return with_requests(seconds)
    return asyncio.run(with_httpx(seconds) if kind == "httpx" else with_aiohttp(seconds))


run(milliseconds / 2000)
before, began = os.times(), time.monotonic()
messages = run(milliseconds / 1000)
after, seconds = os.times(), time.monotonic() - began
print(
    json.dumps(
        {
            "messages": messages,
            "seconds": seconds,
            "userUs": (after.user - before.user) * 1e6 / messages,
            "systemUs": (after.system - before.system) * 1e6 / messages,
        }
    )
)
