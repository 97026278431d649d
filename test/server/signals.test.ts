import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readAll } from '#src/testing/connection-pair.js'
import { patternBytes, within } from '#src/testing/contract-row.js'
import { formatAddress } from '#src/transport/address.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'

const program = fileURLToPath(new URL('../fixtures/serve-forever.js', import.meta.url))
const STREAM_BYTES = 3_000_000

interface Program {
  readonly child: ChildProcess
  readonly lines: AsyncIterator<string>
  readonly ended: Promise<readonly unknown[]>
}

async function nextLine({ lines }: Program): Promise<string> {
  const next = await within('a line of the program', lines.next())
  if (next.done === true) throw new Error('The program ended')
  return next.value
}

function start(model: string): Program {
  // A group of its own, so that a signal to the group is what a terminal sends at Ctrl-C.
  const child = spawn(process.execPath, [program, model], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const reader: Interface = createInterface({ input: child.stdout })
  return { child, lines: reader[Symbol.asyncIterator](), ended: once(child, 'exit') }
}

const groupOf = ({ child: { pid } }: Program): number => {
  if (pid === undefined) throw new Error('The program did not start')
  return -pid
}

async function ready(endpoint: string, command: string): Promise<Connection> {
  const connection = await connect(endpoint)
  await connection.write(`here\n${command}`)
  assert.equal(await connection.readLine(), 'here\n')
  return connection
}

for (const model of ['concurrent', 'threads', 'processes']) {
  for (const [name, signal, toGroup] of [
    ['SIGTERM', 'SIGTERM', false],
    ['Ctrl-C', 'SIGINT', true],
  ] as const) {
    test(`${name} under ${model}() answers what was begun, loses no byte and ends`, { timeout: 60_000 }, async () => {
      const running = start(model)
      try {
        const endpoint = await nextLine(running)
        const idle = await ready(endpoint, '')
        const streaming = await ready(endpoint, `accept ${STREAM_BYTES}\n`)
        await within('the first bytes', streaming.readExactly(1))
        process.kill(toGroup ? groupOf(running) : -groupOf(running), signal)
        assert.equal(await within('the end', idle.read()), null)
        await idle.close()
        const rest = await readAll(streaming)
        assert.equal(Buffer.compare(rest, patternBytes(STREAM_BYTES).subarray(1)), 0)
        await streaming.close()
        const report = JSON.parse(await nextLine(running))
        assert.deepEqual([report.drained, report.cutCount], [2, 0])
        assert.deepEqual(await within('its end', running.ended), [0, null])
      } finally {
        if (running.child.exitCode === null) running.child.kill('SIGKILL')
      }
    })
  }

  test(`a second signal under ${model}() cuts what the first one waits for`, { timeout: 60_000 }, async () => {
    const running = start(model)
    try {
      const endpoint = await nextLine(running)
      const deaf = await ready(endpoint, 'flood\n')
      const idle = await ready(endpoint, '')
      running.child.kill('SIGTERM')
      // The first has arrived: idle connections are ended.
      assert.equal(await within('the end', idle.read()), null)
      idle.destroy()
      running.child.kill('SIGTERM')
      const report = JSON.parse(await nextLine(running))
      // The idle one was ended in order, unless the second signal came before the server saw its end.
      const cut: readonly string[] = report.cut.map(({ remote }: { readonly remote: string }) => remote)
      assert.ok(cut.includes(formatAddress(deaf.local)), JSON.stringify(report))
      assert.equal(report.drained + report.cutCount, 2)
      assert.ok(report.tookMs < 10_000)
      assert.deepEqual(await within('its end', running.ended), [0, null])
      deaf.destroy()
    } finally {
      if (running.child.exitCode === null) running.child.kill('SIGKILL')
    }
  })
}
