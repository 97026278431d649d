import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readAll } from '#src/testing/connection-pair.js'
import { within } from '#src/testing/contract-row.js'
import { connect } from 'moorage'
import type { Conversation, Pair } from './_pair.js'

const run = promisify(execFile)

export async function curl(...args: readonly string[]): Promise<string> {
  return (await run('curl', ['-sS', '--noproxy', '*', '--max-time', '20', ...args])).stdout
}

/** What curl tells behind each body. */
const STATUS = ['-w', ' %{http_code}\n']
const STATUS_AND_TYPE = ['-w', ' %{http_code} %{content_type}\n']
const NO_BODY = ['-o', '/dev/null']

/** One after the other, each on a connection of its own. */
const requests =
  (...each: readonly (readonly [path: string, ...options: string[]])[]): ((endpoint: string) => Promise<string>) =>
  async (endpoint) => {
    let seen = ''
    for (const [path, ...options] of each) seen += await curl(...options, endpoint + path)
    return seen
  }

/** Two requests on one connection; the second is counted as no new one. */
const keptAlive: Conversation = async (endpoint) => {
  const [first, second] = [`${endpoint}/hello?name=Ann%20Lee`, `${endpoint}/hello`]
  const both = await curl('-w', '%{http_code} %{content_type} %{num_connects}\n', first, second)
  const head = await curl('-I', ...NO_BODY, '-w', '%{http_code} %header{content-length}\n', second)
  const absent = await curl(...NO_BODY, '-w', '%{http_code}\n', `${endpoint}/other`)
  return both + head + absent
}

/** A client stays in the middle of its request while another is answered. */
const stalled: Conversation = async (endpoint) => {
  const slow = await connect(endpoint.replace('http:', 'tcp:'))
  await slow.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n')
  const seen = await curl(`${endpoint}/quick`)
  await slow.write('Connection: close\r\n\r\n')
  const answer = Buffer.from(await within('the slow answer', readAll(slow))).toString()
  await slow.close()
  assert.match(answer, /^HTTP\/1\.[01] 200 OK\r\n/)
  return seen + (answer.split('\r\n\r\n')[1] ?? '')
}

/** Writes what the file servers serve. */
export function makeSite(folder: string): string {
  const site = join(folder, 'site')
  mkdirSync(join(site, 'notes'), { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'a secret\n')
  writeFileSync(join(site, 'index.html'), '<h1>Home</h1>\n')
  writeFileSync(join(site, 'today.log'), 'all is well\n')
  writeFileSync(join(site, 'notes', 'a & b.txt'), 'both\n')
  writeFileSync(join(site, 'notes', 'c.txt'), 'alone\n')
  return site
}

/** The type without its parameters: files of text have their charset told here. */
const fileAnswers: Conversation = async (endpoint) => {
  const seen = await requests(
    ['/', ...STATUS_AND_TYPE],
    ['/today.log', ...STATUS_AND_TYPE],
    ['/notes/a%20%26%20b.txt', ...STATUS_AND_TYPE],
    ['/notes', '-L', '-w', '%{http_code} %{num_redirects} %{content_type}\n', ...NO_BODY],
    ['/none', '-w', '%{http_code}\n', ...NO_BODY],
    ['/../secret.txt', '--path-as-is', '-w', '%{http_code}\n', ...NO_BODY],
    ['/%2e%2e/secret.txt', '--path-as-is', '-w', '%{http_code}\n', ...NO_BODY],
    ['/today.log', '-I', '-w', '%{http_code} %header{content-length}\n', ...NO_BODY],
  )(endpoint)
  const changed = /^last-modified: (.*)\r$/im.exec(await curl('-I', `${endpoint}/today.log`))?.[1] ?? ''
  const unchanged = await curl('-H', `If-Modified-Since: ${changed}`, ...STATUS, `${endpoint}/today.log`)
  const listed = [...(await curl('-H', 'Accept: text/html', `${endpoint}/notes/`)).matchAll(/href="([^"]*\.txt)"/g)]
  const names = listed.map(([, name = '']) => new URL(name, `${endpoint}/notes/`).pathname).toSorted()
  return `${seen.replaceAll(/; charset=\S+/g, '')}${unchanged}${names.join(' ')}\n`
}

const FORM = ['-d', 'title=A%20boat', '-d', 'tag=sea', '-d', 'tag=wood']

/** Those of http.server, for a folder with the site of `makeSite`, a certificate and its key. */
export const httpPairs = (site: string, certFile: string, keyFile: string): readonly Pair[] => [
  {
    name: 'http-handler',
    talk: keptAlive,
    seen:
      'Hello, Ann Lee!\n200 text/plain; charset=utf-8 1\nHello, world!\n200 text/plain; charset=utf-8 0\n' +
      '200 14\n404\n',
  },
  {
    name: 'http-form',
    talk: requests(
      ['/', ...FORM, '-w', ' %{http_code} %header{location} %{content_type}\n'],
      ['/', '-d', 'tag=sea', '-w', '%{http_code}\n', ...NO_BODY],
    ),
    seen: '{"title":"A boat","tags":["sea","wood"]} 201 /notes/1 application/json\n400\n',
  },
  {
    name: 'http-files',
    args: () => ['0', site],
    talk: fileAnswers,
    seen:
      '<h1>Home</h1>\n 200 text/html\nall is well\n 200 text/plain\nboth\n 200 text/plain\n' +
      '200 1 text/html\n404\n404\n404\n200 12\n 304\n/notes/a%20%26%20b.txt /notes/c.txt\n',
  },
  {
    name: 'http-threading',
    talk: stalled,
    seen: 'You asked for /quick\nYou asked for /slow\n',
  },
  {
    name: 'http-error',
    talk: requests(['/tea', ...STATUS_AND_TYPE], ['/broken', ...STATUS_AND_TYPE], ['/other', ...STATUS_AND_TYPE]),
    seen:
      '418: I am a teapot\n 418 text/plain; charset=utf-8\n500: That is our fault\n 500 text/plain; charset=utf-8\n' +
      '404: There is nothing here\n 404 text/plain; charset=utf-8\n',
  },
  {
    name: 'http-log',
    talk: requests(['/nothing', ...STATUS], ['/else?a=1', ...STATUS]),
    seen: ' 204\n 303\n',
    printed: '127.0.0.1 "GET /nothing HTTP/1.1" 204\n127.0.0.1 "GET /else?a=1 HTTP/1.1" 303\n',
  },
  {
    name: 'https-server',
    args: () => ['0', certFile, keyFile],
    talk: async (endpoint) => {
      const { port } = new URL(endpoint)
      const there = ['--cacert', certFile, '--resolve', `localhost:${port}:127.0.0.1`]
      return curl(...there, ...STATUS_AND_TYPE, `https://localhost:${port}/`)
    },
    seen: 'a secret\n 200 text/plain; charset=utf-8\n',
  },
]
