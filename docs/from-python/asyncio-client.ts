import { connect } from 'moorage'

const connection = await connect(process.argv[2] ?? 'tcp://127.0.0.1:9999')
await connection.write('one\ntwo\n')
await connection.closeWrite()
for await (const line of connection.lines({ keepEnd: false })) console.log(line)
await connection.close()
