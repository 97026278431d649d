import { TimeoutError } from 'moorage'
import { Session } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
await using session = new Session({ connectTimeoutMs: 3050, responseTimeoutMs: 200, retries: 0 })
try {
  await session.get(`${url}/silent`)
} catch (error) {
  if (!(error instanceof TimeoutError)) throw error
  console.log('too late')
}
