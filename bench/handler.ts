import type { StreamFunction } from 'moorage'

/** `burn\n` keeps the CPU for two seconds; everything else is echoed. */
const handler: StreamFunction = async (connection) => {
  for await (const bytes of connection) {
    if (String(bytes) === 'burn\n') {
      const until = Date.now() + 2000
      while (Date.now() < until);
    }
    await connection.write(bytes)
  }
}

export default handler
