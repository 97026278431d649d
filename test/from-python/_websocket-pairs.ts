import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { launchBrowser, noBrowser } from '../fixtures/browser.js'
import { curl } from './_http-pairs.js'
import type { Conversation, Pair } from './_pair.js'

const run = promisify(execFile)
const PYTHON = '/usr/bin/python3'

/** The reason to leave out what needs Python's websockets, or false. */
export const noWebSockets: string | false =
  spawnSync(PYTHON, ['-c', 'import websockets']).status === 0 ? false : 'Python has no websockets here'

export const TALK = 'Welcome\nYou said: hello\nYou said: Grüße\nYou said: bye\nclosed with 1000\n'

/** What a page shows of which somebody presses the button, and types. */
async function inBrowser(endpoint: string): Promise<string> {
  const browser = await launchBrowser()
  try {
    const page = await browser.newPage()
    await page.goto(endpoint)
    await page.click('#connect')
    for (const [text, answer] of [
      ['', 'Welcome'],
      ['hello', 'You said: hello'],
      ['Grüße', 'You said: Grüße'],
      ['bye', 'closed with 1000'],
    ] as const) {
      if (text !== '') await page.fill('#text', text)
      if (text !== '') await page.press('#text', 'Enter')
      await page.locator('#log li', { hasText: answer }).waitFor()
    }
    return `${(await page.locator('#log li').allTextContents()).join('\n')}\n`
  } finally {
    await browser.close()
  }
}

/** The page, the client in Python and the client in TypeScript, each against this server. */
const talk =
  (clients: readonly (readonly [command: string, script: string])[]): Conversation =>
  async (endpoint) => {
    let seen = await curl('-o', '/dev/null', '-w', '%{http_code} %{content_type}\n', `${endpoint}/`)
    seen += await curl('-o', '/dev/null', '-w', '%{http_code}\n', `${endpoint}/other`)
    const url = `${endpoint.replace('http:', 'ws:')}/talk`
    for (const [command, script] of clients)
      seen += (await run(command, [script, url], { env: { ...process.env, PYTHONIOENCODING: 'utf8' } })).stdout
    return seen + (noBrowser === false ? await inBrowser(endpoint) : TALK)
  }

export const webSocketPairs = (clients: readonly (readonly [string, string])[]): readonly Pair[] => [
  {
    name: 'websocket-server',
    skip: noWebSockets,
    talk: talk(clients),
    seen: `200 text/html; charset=utf-8\n404\n${TALK}${TALK}${TALK}`,
  },
]
