import { connect } from 'moorage'

await using connection = await connect(process.argv[2] ?? 'tcp://127.0.0.1:9999', { connectTimeoutMs: 5000 })
await connection.write('hello\n')
await connection.closeWrite()
for await (const data of connection) process.stdout.write(data)
