// Echo at /, broadcast at /all: Bun.
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request, server) {
    server.upgrade(request, { data: { all: new URL(request.url).pathname === '/all' } })
  },
  websocket: {
    idleTimeout: 0,
    open(ws) {
      if (ws.data.all) ws.subscribe('all')
    },
    message(ws, message) {
      if (ws.data.all) ws.publish('all', message)
      else ws.send(message)
    },
  },
})
console.log(server.port)
