// Run by Bun.
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: () => new Response('Hello, world!\n', { headers: { 'Content-Type': 'text/plain; charset=utf-8' } }),
})
console.log(server.port)
