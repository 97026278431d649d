import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BROKEN_CODES,
  BUSY_CODES,
  CLOSED_CODES,
  CODES,
  LIMIT_CODES,
  NET_CODES,
  PROTOCOL_CODES,
  TIMEOUT_CODES,
  USAGE_CODES,
} from '#src/base/codes.js'
import { errorCodeOf, messageOf, MoorageError, NetError, TimeoutError, UsageError } from '#src/base/errors.js'

test('CODES has every code of every class once', () => {
  const tables = [
    USAGE_CODES,
    NET_CODES,
    PROTOCOL_CODES,
    LIMIT_CODES,
    TIMEOUT_CODES,
    CLOSED_CODES,
    BROKEN_CODES,
    BUSY_CODES,
  ]
  const all = tables.flatMap((table) => Object.keys(table))
  assert.ok(all.length > 30)
  assert.deepEqual(all.toSorted(), Object.keys(CODES).toSorted())
  for (const code of all) assert.match(code, /^ERR_[A-Z0-9]+(_[A-Z0-9]+)*$/)
})

test('an error has the fault of its code, unless it is told another', () => {
  assert.equal(new UsageError('ERR_ARGUMENT', '').fault, 'local')
  assert.equal(new NetError('ERR_CONNECT', '').fault, CODES.ERR_CONNECT.fault)
  assert.equal(new TimeoutError('ERR_HANDSHAKE_TIMEOUT', '').fault, 'remote')
  assert.equal(new TimeoutError('ERR_HANDSHAKE_TIMEOUT', '', { fault: 'local' }).fault, 'local')
})

test('an error keeps its cause, also one that is undefined, and has none when none was given', () => {
  const cause = new Error('below')
  const error = new NetError('ERR_CONNECT', 'above', { cause, details: { host: 'h' } })
  assert.ok(error instanceof MoorageError && error instanceof Error)
  assert.deepEqual([error.name, error.message, error.cause, error.details], ['NetError', 'above', cause, { host: 'h' }])
  assert.ok('cause' in new NetError('ERR_CONNECT', '', { cause: undefined }))
  assert.ok(!('cause' in new NetError('ERR_CONNECT', '')))
  assert.deepEqual(new NetError('ERR_CONNECT', '').details, {})
})

test('errorCodeOf and messageOf take whatever was thrown', () => {
  const rows: readonly [thrown: unknown, code: string | undefined, message: string][] = [
    [new UsageError('ERR_ARGUMENT', 'ours'), 'ERR_ARGUMENT', 'ours'],
    [Object.assign(new Error('system'), { code: 'ECONNRESET' }), 'ECONNRESET', 'system'],
    [Object.assign(new Error('numbered'), { code: 104 }), undefined, 'numbered'],
    [new Error('plain'), undefined, 'plain'],
    [{ code: 'E' }, 'E', '[object Object]'],
    ['a string', undefined, 'a string'],
    [null, undefined, 'null'],
    [undefined, undefined, 'undefined'],
  ]
  for (const [thrown, code, message] of rows)
    assert.deepEqual([errorCodeOf(thrown), messageOf(thrown)], [code, message])
})
