# bulk_python.py requests|httpx|aiohttp disk|nowhere|upload <url> <file>
import asyncio
import sys

client, job, url, path = sys.argv[1:]


def with_requests():
    import requests

    if job == "upload":
        with open(path, "rb") as file:
            requests.post(url, files={"file": file}).text
        return
    with requests.get(url, stream=True) as response:
        if job == "nowhere":
            for piece in response.iter_content(1 << 20):
                pass
            return
        with open(path, "wb") as file:
            for piece in response.iter_content(1 << 20):
                file.write(piece)


def with_httpx():
    import httpx

    if job == "upload":
        with open(path, "rb") as file:
            httpx.post(url, files={"file": file}, timeout=60).text
        return
    with httpx.stream("GET", url) as response:
        if job == "nowhere":
            for piece in response.iter_bytes(1 << 20):
                pass
            return
        with open(path, "wb") as file:
            for piece in response.iter_bytes(1 << 20):
                file.write(piece)


async def with_aiohttp():
    import aiohttp

    async with aiohttp.ClientSession() as session:
        if job == "upload":
            form = aiohttp.FormData()
            with open(path, "rb") as file:
                form.add_field("file", file, filename="file")
                async with session.post(url, data=form) as response:
                    await response.text()
            return
        async with session.get(url) as response:
            if job == "nowhere":
                async for piece in response.content.iter_chunked(1 << 20):
                    pass
                return
            with open(path, "wb") as file:
                async for piece in response.content.iter_chunked(1 << 20):
                    file.write(piece)


if client == "requests":
    with_requests()
elif client == "httpx":
    with_httpx()
else:
    asyncio.run(with_aiohttp())
