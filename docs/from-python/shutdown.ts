import { serve } from 'moorage'

const server = await serve(`tcp://127.0.0.1:${process.argv[2] ?? 9999}`, async (connection) => {
  for await (const line of connection.lines()) {
    if (line === 'stop\n') {
      await connection.write('stopping\n')
      void server.close() // waits for this handler: do not await it here
      return
    }
    await connection.write(line)
  }
})
console.log(`listening on ${server.endpoint}`)
await server.serveForever() // resolves with a report of what ended how
console.log('stopped')
