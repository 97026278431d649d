import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPosition, tryParsePosition } from '#src/pubsub/position.js'

test('formatPosition and tryParsePosition go round', () => {
  for (const position of [
    { epoch: 'a', offset: 0 },
    { epoch: '0f-3_Z'.padEnd(64, 'x'), offset: Number.MAX_SAFE_INTEGER },
  ])
    assert.deepEqual(tryParsePosition(formatPosition(position)), position)
})

test('tryParsePosition takes nothing else', () => {
  const long = 'x'.repeat(65)
  for (const text of ['', ':1', 'a:', 'a:-1', 'a:01', 'a:1.5', 'a:1 ', ' a:1', 'a b:1', 'a:1:2', `${long}:1`, 'a:1\n'])
    assert.equal(tryParsePosition(text), undefined, JSON.stringify(text))
  assert.equal(tryParsePosition(`a:${Number.MAX_SAFE_INTEGER + 1}`), undefined)
})
