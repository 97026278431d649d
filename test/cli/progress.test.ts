import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { serve } from '#src/server/serve.js'
import type { StreamServer } from '#src/server/stream-server.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import { main, missing, moorage, start, stopAll, type Program } from './_programs.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-progress-'))
const PYTHON = '/usr/bin/python3'
const NEEDED = { timeout: 60_000, skip: missing(PYTHON) }
const FILE_BYTES = 24 * 1024 * 1024

/** Runs a program whose stderr is a terminal of so many columns, and prints what is written to that, ESC as ^[. */
const TERMINAL = `
import fcntl, os, pty, struct, subprocess, sys, termios
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
while True:
    try: data = os.read(master, 65536)
    except OSError: break
    if not data: break
    os.write(1, data.replace(b'\x1b', b'^['))
sys.exit(child.wait())
`

const onTerminal = (columns: number, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program =>
  start(PYTHON, ['-c', TERMINAL, String(columns), process.execPath, main, ...args], {
    env: { NO_COLOR: '', TERM: 'xterm', ...env },
  })

const file = join(folder, 'a file with quite a long name.bin')
writeFileSync(file, Buffer.alloc(FILE_BYTES, 'x'))

/** Passes bytes on slowly until it is told to hurry: what is drawn meanwhile can be waited for. */
const ways: StreamServer[] = []

async function slowWay(endpoint: string): Promise<{ readonly endpoint: string; readonly hurry: () => void }> {
  let slow = true
  const pass = async (from: Connection, to: Connection): Promise<void> => {
    for await (const bytes of from) {
      await to.write(bytes)
      if (slow) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await to.closeWrite()
  }
  const server = await serve('tcp://127.0.0.1:0', async (near) => {
    const far = await connect(endpoint)
    await Promise.all([pass(near, far), pass(far, near)])
    await far.close()
  })
  ways.push(server)
  const hurry = (): void => {
    slow = false
  }
  return { endpoint: server.endpoint, hurry }
}

/** What a line of the bar is: a name, a bar that grows, a share, a rate and the time that is left. */
const BAR = /\r\^\[\[2K[^\r]*\[=* *\] +\d+ % +\d+(?:\.\d)? [KMG]?i?B\/s +\d+:\d\d left/u
const DRAWN = /\r\^\[\[2K[^\r]*\d+ % +[^\r]*left/u
const CLEARED = /\r\^\[\[2K(?=[^\r]*: 24 MiB)/u

let targets = 0
const target = (): string => {
  const path = join(folder, `to-${(targets += 1)}`)
  mkdirSync(path)
  return path
}

for (const side of ['send', 'receive'] as const) {
  test(`${side} draws a bar with rate and time left on a terminal, and takes it away`, NEEDED, async () => {
    const listening = ['receive', 'tcp://127.0.0.1:0', target(), '--once']
    const receiver = side === 'receive' ? onTerminal(100, listening) : moorage(listening)
    const way = await slowWay(await receiver.listening())
    const line = ['send', file, way.endpoint]
    const sender = side === 'send' ? onTerminal(100, line) : moorage(line)
    const shown = side === 'send' ? sender : receiver
    await shown.says(BAR)
    way.hurry()
    assert.deepEqual([await sender.ends(), await receiver.ends()], [0, 0], sender.out + receiver.out)
    assert.match(shown.out, CLEARED)
    assert.doesNotMatch(shown.out.slice(shown.out.lastIndexOf('^[[2K')), / %|left/)
    const other = side === 'send' ? receiver : sender
    assert.doesNotMatch(other.err, /\r|%/, 'no terminal, no bar')
    assert.ok(!other.err.includes('\u{1b}'))
  })
}

test('a bar never fills the width of its terminal, however narrow', NEEDED, async () => {
  for (const columns of [20, 45, 60]) {
    const receiver = moorage(['receive', 'tcp://127.0.0.1:0', target(), '--once'])
    const way = await slowWay(await receiver.listening())
    const sender = onTerminal(columns, ['send', file, way.endpoint])
    await sender.says(/\^\[\[2K[^\r]*%[^\r]*\r\^\[\[2K[^\r]*%/u)
    way.hurry()
    assert.equal(await sender.ends(), 0, sender.out)
    const rows = sender.out.split('^[[2K').map((row) => row.replace(/\r[^]*/, ''))
    const bars = rows.map((row) => Buffer.from(row, 'latin1').toString()).filter((row) => row.includes(' %'))
    assert.ok(bars.length > 0)
    for (const bar of bars) assert.ok(bar.length < columns, `${bar.length} of ${columns}: ${bar}`)
  }
})

test('under NO_COLOR and on a dumb terminal nothing is coloured, and a dumb one gets no bar', NEEDED, async () => {
  const refused = ['send', file, 'tcp://127.0.0.1:1']
  const colour = /\^\[\[\d+m/u
  const coloured = onTerminal(80, refused)
  assert.equal(await coloured.ends(), 1)
  assert.match(coloured.out, colour)
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const plain = onTerminal(80, refused, env)
    assert.equal(await plain.ends(), 1)
    assert.doesNotMatch(plain.out, colour)
    const receiver = moorage(['receive', 'tcp://127.0.0.1:0', target(), '--once'])
    const way = await slowWay(await receiver.listening())
    const sender = onTerminal(80, ['send', file, way.endpoint], env)
    if ('TERM' in env) await receiver.says('listening')
    else await sender.says(DRAWN)
    way.hurry()
    assert.equal(await sender.ends(), 0, sender.out)
    assert.doesNotMatch(sender.out, 'TERM' in env ? /\^\[|%/u : colour)
  }
})

test('--json and --quiet draw nothing on a terminal', NEEDED, async () => {
  for (const option of ['--json', '--quiet']) {
    const receiver = moorage(['receive', 'tcp://127.0.0.1:0', target(), '--once'])
    const sender = onTerminal(80, ['send', file, await receiver.listening(), option])
    assert.equal(await sender.ends(), 0, sender.out)
    assert.doesNotMatch(sender.out, /\^\[|\r(?!\n)/u)
  }
})

afterEach(async () => {
  await stopAll()
  await Promise.all(ways.splice(0).map((server) => server.close()))
})
after(() => rmSync(folder, { recursive: true, force: true }))
