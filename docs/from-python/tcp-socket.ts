import { listen } from 'moorage'

const listener = await listen(`tcp://127.0.0.1:${process.argv[2] ?? 9999}`)
console.log(`listening on ${listener.endpoint}`)
for await (const connection of listener) {
  for await (const data of connection) await connection.write(data)
  await connection.write('bye\n')
  await connection.close()
}
