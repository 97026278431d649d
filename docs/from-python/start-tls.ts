import { readFileSync } from 'node:fs'
import { serve } from 'moorage'

const [port = '9999', certFile = '', keyFile = ''] = process.argv.slice(2)
const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)]

const server = await serve(`tcp://127.0.0.1:${port}`, async (connection) => {
  if ((await connection.readLine()) !== 'STARTTLS\n') {
    await connection.write('encrypted only\n')
    return
  }
  await connection.write('go\n')
  await connection.startTls({ role: 'server', cert, key })
  for await (const line of connection.lines()) await connection.write(line.toUpperCase())
})
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
