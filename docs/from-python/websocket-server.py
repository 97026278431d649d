import asyncio
import http
import sys

import websockets

PAGE = b"""<!doctype html>
<meta charset="utf-8"><title>Talk</title>
<button id="connect">Connect</button> <input id="text" placeholder="say something"> <ol id="log"></ol>
<script>
  const show = (text) => log.append(Object.assign(document.createElement('li'), { textContent: text }))
  connect.onclick = () => {
    const socket = new WebSocket('ws://' + location.host + '/talk')
    socket.onmessage = ({ data }) => show(data)
    socket.onclose = ({ code }) => show('closed with ' + code)
    text.onchange = () => socket.send(text.value)
  }
</script>"""


async def page(path, headers):  # what is answered instead of a handshake
    if path == "/":
        return http.HTTPStatus.OK, [("Content-Type", "text/html; charset=utf-8")], PAGE
    if path != "/talk":
        return http.HTTPStatus.NOT_FOUND, [], b"Not Found\n"


async def talk(ws):
    await ws.send("Welcome")
    async for message in ws:
        await ws.send("You said: " + message)
        if message == "bye":
            return


async def main():
    async with websockets.serve(talk, "127.0.0.1", int(sys.argv[1]), process_request=page) as server:
        print("listening on http://%s:%d" % server.sockets[0].getsockname(), flush=True)
        await asyncio.Future()


asyncio.run(main())
