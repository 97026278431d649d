import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, openSync, closeSync, ftruncateSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { patternBytes, turns, until, within, withCode } from '#src/testing/contract-row.js'
import { errorCodeOf } from '#src/base/errors.js'
import { readOptions } from '#src/base/options.js'
import { connect } from '#src/transport/connect.js'
import { CONNECTION_OPTIONS } from '#src/transport/connection-options.js'
import { listen } from '#src/transport/listen.js'
import { AcceptedDescriptor } from '#src/transport/node/accepted-stream.js'
import { handleOf } from '#src/transport/node/handles.js'
import { NativeDriver } from '#src/transport/node/native-driver.js'
import { descriptorOf, nativeStreams } from '#src/transport/node/native-streams.js'
import { tryLoadNative } from '#src/transport/node/native.js'
import { descriptorOfShared, sharedBytes } from '#src/transport/node/shared-bytes.js'
import { StreamConnection } from '#src/transport/stream-connection.js'

const run = promisify(execFile)
const skip = tryLoadNative() === undefined ? 'the addon is not built' : false
const folder = mkdtempSync(join(tmpdir(), 'moorage-streams-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a module that may use `connect`, `listen` and `pair`, in a process of its own. @returns what it prints. */
async function script(body: string): Promise<string> {
  const transport = JSON.stringify(new URL('../../../../dist/transport/index.js', import.meta.url).href)
  const pair = `async function pair() {
    const listener = await listen('tcp://127.0.0.1:0')
    const connecting = connect(listener.endpoint)
    const far = await listener.accept()
    await listener.close()
    return { near: await connecting, far }
  }`
  const code = `import { connect, listen } from ${transport}\n${pair}\n${body}`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 })
  return stdout
}

async function pair(): Promise<{ near: StreamConnection; far: StreamConnection }> {
  await using listener = await listen('tcp://127.0.0.1:0')
  const connecting = connect(listener.endpoint)
  const far = await listener.accept()
  const near = await connecting
  assert.ok(near instanceof StreamConnection && far instanceof StreamConnection)
  return { near, far }
}

const SHARED_BYTES = new URL('../../../../dist/transport/node/shared-bytes.js', import.meta.url).href

suite('streams by the addon', { skip, timeout: 60_000 }, () => {
  test('what one of several that are ready throws takes nothing from the others', async () => {
    const printed = await script(`
      const pairs = await Promise.all([pair(), pair(), pair()])
      process.on('uncaughtException', (error) => console.log('uncaught', error.message))
      const heard = []
      for (const [i, { far }] of pairs.entries()) {
        const close = () => { if (heard.length === 3) console.log(heard.toSorted().join()) }
        far.sinkTo({ close, end() {}, data(bytes) {
          heard.push(i + String(bytes))
          if (i === 1) throw new Error('of one')
        } })
      }
      // All of it is there before the loop comes round.
      for (const { near } of pairs) void near.write('x')
      await new Promise((resolve) => setTimeout(resolve, 100))
      for (const { near, far } of pairs) { near.destroy(); far.destroy() }
    `)
    assert.equal(printed, `uncaught of one\n${'0x,1x,2x\n'.repeat(3)}`)
  })

  test('a stream that came by descriptor leaves its connection alone once it was opened', async () => {
    const streams = nativeStreams()
    assert.ok(streams !== undefined)
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const far = await connect(`tcp://127.0.0.1:${address.port}`)
    const [socket]: Socket[] = await accepted
    assert.ok(socket !== undefined)
    const descriptor = descriptorOf(handleOf(socket))
    assert.ok(descriptor !== undefined)
    const stream = new AcceptedDescriptor(streams, descriptor, { kind: 'ip', host: '127.0.0.1', port: 1 })
    const settings = readOptions('test', CONNECTION_OPTIONS, {})
    const near = stream.open(settings)
    stream.destroy()
    assert.throws(() => stream.open(settings), withCode('ERR_STATE'))
    await near.write('alive\n')
    assert.equal(await within('a line', far.readLine()), 'alive\n')
    near.destroy()
    far.destroy()
    socket.destroy()
    server.close()
  })

  test('a stream that is paused before its first use does not enter the set', () => {
    const streams = nativeStreams()
    assert.ok(streams !== undefined)
    let entered = 0
    const source = {
      enter: () => (entered += 1),
      toSocket: () => assert.fail('nobody asked for a socket'),
      close: () => undefined,
    }
    const nowhere = { kind: 'unix', path: '' } as const
    new NativeDriver(streams, source, { local: nowhere, remote: nowhere }, 1024).pause()
    assert.equal(entered, 0)
  })

  test('a process ends when its connections wait for nothing', async () => {
    const printed = await script(`
      const { near, far } = await pair()
      void near.write('nobody reads this')
      process.on('exit', () => console.log('ended', far.bufferedBytes))
    `)
    assert.equal(printed, 'ended 0\n')
  })

  test('whoever makes the first connection does not give its context to all others', async () => {
    const printed = await script(`
      const { AsyncLocalStorage } = await import('node:async_hooks')
      const store = new AsyncLocalStorage()
      await store.run('the first', pair)
      const { near, far } = await pair()
      far.sinkTo({ close() {}, end() {}, data() { console.log(store.getStore()); near.destroy(); far.destroy() } })
      void near.write('x')
    `)
    assert.equal(printed, 'undefined\n')
  })

  test('what a sink writes arrives in its order, also when it destroys the connection or ends the process next', async () => {
    await using listener = await listen('tcp://127.0.0.1:0')
    const endpoint = JSON.stringify(listener.endpoint)
    for (const [last, ending] of [
      ['near.destroy()', 'destroyed'],
      ['process.exit()', 'exited'],
      ['void near.closeWrite()', 'ended'],
      ['setTimeout(() => near.destroy(), 50)', 'later'],
    ] as const) {
      const ended = script(`
        const near = await connect(${endpoint})
        near.sinkTo({ close() {}, end() { near.destroy() }, data() {
          near.writeNowLatin1('one ')
          near.writeNow(Buffer.from('two '), true)
          void near.write('three ')
          near.writeNowLatin1('four ')
          near.writeNow(Buffer.alloc(300000, '.'), false)
          near.writeNowLatin1('${ending}')
          ${last}
        } })
      `)
      const far = await listener.accept()
      await far?.write('x')
      let text = ''
      for await (const bytes of far ?? []) text += Buffer.from(bytes).toString()
      assert.equal(text, `one two three four ${'.'.repeat(300_000)}${ending}`)
      far?.destroy()
      await ended
    }
  })

  test('a peer that reads late gets every byte of what was held for the end of a turn', async () => {
    const { near, far } = await pair()
    const chunk = patternBytes(10_007, 9)
    let [written, queuedAtMost] = [0, 0]
    far.sinkTo({
      data() {
        for (let i = 0; i < 20; i += 1) {
          far.writeNow(chunk, true)
          written += chunk.length
        }
        queuedAtMost = Math.max(queuedAtMost, far.bufferedBytes)
      },
      end: () => undefined,
      close: () => undefined,
    })
    for (let i = 0; i < 40; i += 1) {
      await near.write('more')
      await turns(2)
    }
    void far.closeWrite()
    assert.ok(queuedAtMost > chunk.length * 20, 'the system took less than was written')
    const came: Uint8Array[] = []
    for await (const bytes of near) came.push(bytes)
    const all = Buffer.concat(came)
    assert.equal(all.length, written)
    for (let at = 0; at < all.length; at += chunk.length)
      assert.equal(Buffer.compare(all.subarray(at, at + chunk.length), chunk), 0)
    near.destroy()
    far.destroy()
  })

  test('bytes that the system has too keep their place among others, for a peer that reads late', async () => {
    const { near, far } = await pair()
    const often = sharedBytes(100_000)
    often.set(patternBytes(often.length, 3))
    assert.notEqual(descriptorOfShared(often), undefined)
    const expected: Uint8Array[] = []
    for (let i = 0; i < 60; i += 1) {
      const small = Buffer.from(`between ${i}`)
      const part = often.subarray(i * 1000)
      expected.push(small, part)
      void near.write(small)
      void near.write(part)
    }
    assert.ok(near.bufferedBytes > 0, 'it is more than the system takes')
    void near.closeWrite()
    const came: Uint8Array[] = []
    for await (const bytes of far) came.push(bytes)
    assert.equal(Buffer.compare(Buffer.concat(came), Buffer.concat(expected)), 0)
    far.destroy()
  })

  test('descriptorOfShared leaves the buffer of small bytes alone, which would cost them one', () => {
    const small = new Uint8Array(64)
    Object.defineProperty(small, 'buffer', { get: () => assert.fail('the buffer was asked for') })
    assert.equal(descriptorOfShared(small), undefined)
  })

  test('memory that is a file too is bounded in bytes, and is given back', async () => {
    const printed = await script(`
      const { sharedBytes, descriptorOfShared } = await import(${JSON.stringify(SHARED_BYTES)})
      const { setFlagsFromString } = await import('node:v8')
      const { runInNewContext } = await import('node:vm')
      setFlagsFromString('--expose-gc')
      const gc = runInNewContext('gc')
      const isShared = (length) => descriptorOfShared(sharedBytes(length)) !== undefined
      const MIB = 1024 * 1024
      const held = [sharedBytes(63 * MIB)]
      const atLimit = [isShared(MIB + 1), isShared(65 * MIB), isShared(2 ** 32 - 32768)]
      held.push(sharedBytes(MIB))
      atLimit.push(descriptorOfShared(held[1]) !== undefined, isShared(32768))
      held.length = 0
      await new Promise((resolve) => setTimeout(resolve, 10))
      gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
      console.log(...atLimit, isShared(64 * MIB))
    `)
    assert.equal(printed, 'false false false true false true\n')
  })

  test('memory that is a file too is bounded in number, and is given back', async () => {
    const held = Array.from({ length: 400 }, () => sharedBytes(40_000))
    const shared = held.filter((bytes) => descriptorOfShared(bytes) !== undefined)
    assert.ok(shared.length > 0 && shared.length <= 256, String(shared.length))
    assert.equal(descriptorOfShared(held.at(-1) ?? sharedBytes(1)), undefined)
    const printed = await script(`
      const { sharedBytes, descriptorOfShared } = await import(${JSON.stringify(SHARED_BYTES)})
      const { setFlagsFromString } = await import('node:v8')
      const { runInNewContext } = await import('node:vm')
      setFlagsFromString('--expose-gc')
      const gc = runInNewContext('gc')
      for (let i = 0; i < 400; i += 1) sharedBytes(40000)
      await new Promise((resolve) => setTimeout(resolve, 10))
      gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
      console.log(descriptorOfShared(sharedBytes(40000)) !== undefined)
    `)
    assert.equal(printed, 'true\n')
  })

  test('a piece of a file goes out whole to a slow reader, and one that ends before breaks the connection', async () => {
    const { near, far } = await pair()
    const path = join(folder, 'piece')
    const bytes = patternBytes(12_000_000, 4)
    writeFileSync(path, bytes)
    const descriptor = openSync(path, 'r+')
    let drained = false
    near.sinkTo({ data: () => undefined, end: () => undefined, close: () => undefined, drain: () => (drained = true) })
    assert.equal(near.holdsFile(descriptor, 5, 11_000_000), true)
    assert.equal(near.writeFileNow(descriptor, 5, 11_000_000), false)
    assert.ok(near.bufferedBytes > 0)
    const came = await far.readExactly(11_000_000)
    assert.equal(Buffer.compare(came, bytes.subarray(5, 11_000_005)), 0)
    await until('the drain', () => drained)
    assert.equal(near.writeFileNow(descriptor, 0, 12_000_000), false)
    ftruncateSync(descriptor, 1000)
    const reading = (async () => {
      let count = 0
      for await (const bytes of far) count += bytes.length
      return count
    })()
    const { reason, error } = await within('the end', near.closed)
    assert.equal(reason, 'failed')
    assert.equal(errorCodeOf(error), 'ERR_FILE_READ')
    assert.ok((await reading) < 12_000_000)
    assert.equal(near.holdsFile(descriptor, 0, 2000), false)
    closeSync(descriptor)
    far.destroy()
  })

  test('a descriptor that is none is refused, and harms nobody', async () => {
    const addon = tryLoadNative()
    assert.throws(() => addon?.streamAdd(999_999), withCode('EBADF'))
    assert.throws(() => addon?.streamClose(999_999), withCode('EBADF'))
    assert.throws(() => addon?.streamWrite(-1, new Uint8Array(1)), withCode('EBADF'))
    const [bytes, numbers] = [new Uint8Array(1), new Int32Array(3)]
    const memory = { receive: bytes, records: numbers, outbox: bytes, out: numbers, control: numbers }
    assert.throws(() => addon?.streamsOpen(memory, () => undefined), withCode('EBUSY'))
  })
})
