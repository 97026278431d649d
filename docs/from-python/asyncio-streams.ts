import { serve } from 'moorage'

const server = await serve(`tcp://127.0.0.1:${process.argv[2] ?? 9999}`, async (connection) => {
  const name = await connection.readLine({ keepEnd: false })
  const count = Buffer.from(await connection.readExactly(4)).readUInt32BE()
  const body = await connection.readExactly(count)
  const rest = await connection.readUntil('\0')
  await connection.write(`${name}: ${body.length} bytes, then ${rest.length}\n`) // write and drain in one
  for await (const data of connection) await connection.write(data)
})
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
