import { get, post, StatusError } from 'moorage/client'

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
const found = await get(`${url}/search`, { query: { word: 'a b&c', page: 2 }, timeoutMs: 10_000 })
console.log(found.status, await found.text())
const sent = await post(`${url}/form`, { form: { name: 'Ann' }, timeoutMs: 10_000 })
console.log(sent.status, await sent.text())
try {
  const missing = await get(`${url}/missing`, { timeoutMs: 10_000 })
  missing.raiseForStatus()
} catch (error) {
  if (!(error instanceof StatusError)) throw error
  console.log('failed with', error.response.status)
}
