import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deferred, markHandled } from '#src/base/deferred.js'

test('deferred settles its promise once, by whichever end is called first', async () => {
  const resolved = deferred<number>()
  resolved.resolve(1)
  resolved.reject(new Error('too late'))
  resolved.resolve(2)
  assert.equal(await resolved.promise, 1)

  const rejected = deferred<number>()
  const reason = new Error('the first')
  rejected.reject(reason)
  rejected.resolve(1)
  await assert.rejects(rejected.promise, reason)

  const adopted = deferred<number>()
  adopted.resolve(Promise.resolve(3))
  assert.equal(await adopted.promise, 3)
})

test('markHandled lets a rejection reach whoever awaits it, and never become an unhandled one', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  const failing = deferred<void>()
  assert.equal(markHandled(failing.promise), failing.promise)
  const reason = new Error('nobody awaits this yet')
  failing.reject(reason)
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => void setImmediate(resolve))
  process.off('unhandledRejection', note)
  assert.deepEqual(unhandled, [])
  await assert.rejects(failing.promise, reason)
})
