// `node bulk-npm.mjs <client> disk|nowhere|upload <url> <file>`: one large body, as the manual of each client has it.
import { createWriteStream, openAsBlob, createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Readable, Writable } from 'node:stream'
import { once } from 'node:events'

const [client, job, url, file] = process.argv.slice(2)
const target = () =>
  job === 'disk' ? createWriteStream(file) : new Writable({ write: (_piece, _encoding, done) => done() })
const form = async () => {
  const made = new FormData()
  made.append('file', await openAsBlob(file), 'file')
  return made
}

const jobs = {
  async undici() {
    const undici = await import('undici')
    if (job === 'upload') {
      const body = new undici.FormData()
      body.append('file', await openAsBlob(file), 'file')
      return (await undici.request(url, { method: 'POST', body })).body.text()
    }
    await undici.stream(url, { method: 'GET' }, target)
  },
  async fetch() {
    if (job === 'upload') return (await fetch(url, { method: 'POST', body: await form() })).text()
    await pipeline(Readable.fromWeb((await fetch(url)).body), target())
  },
  async http() {
    const { get } = await import('node:http')
    const [response] = await once(get(url), 'response')
    await pipeline(response, target())
  },
  async axios() {
    const { default: axios } = await import('axios')
    if (job === 'upload')
      return axios.postForm(url, { file: createReadStream(file) }, { maxBodyLength: Infinity, maxRedirects: 0 })
    const { data } = await axios.get(url, { responseType: 'stream' })
    await pipeline(data, target())
  },
  async got() {
    const { default: got } = await import('got')
    if (job === 'upload') return got.post(url, { body: await form() })
    await pipeline(got.stream(url), target())
  },
}

await jobs[client]()
process.exit()
