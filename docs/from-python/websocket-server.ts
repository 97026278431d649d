import { html, Routes, serveHttp } from 'moorage/http'
import { websocket } from 'moorage/websocket'

const PAGE = `<!doctype html>
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
</script>`

const talk = websocket(async (peer) => {
  await peer.send('Welcome')
  for await (const message of peer) {
    await peer.send(`You said: ${String(message)}`)
    if (message === 'bye') return
  }
})

const routes = new Routes().get('/', () => html(PAGE)).get('/talk', talk)
const server = await serveHttp(`http://127.0.0.1:${process.argv[2] ?? 8000}`, routes)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
