import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '#src/base/errors.js'
import {
  byteCount,
  count,
  flag,
  milliseconds,
  nearestName,
  oneOf,
  readOptions,
  text,
  type OptionSpec,
} from '#src/base/options.js'

const MAX = Number.MAX_SAFE_INTEGER

interface Row {
  readonly kind: string
  readonly spec: OptionSpec<unknown>
  readonly fits: readonly unknown[]
  readonly doesNot: readonly unknown[]
}

const rows: readonly Row[] = [
  { kind: 'count', spec: count(7, ''), fits: [1, MAX, Infinity], doesNot: [0, 1.5, -1, NaN, '1', null, 2n] },
  { kind: 'count with bounds', spec: count(7, '', { min: 0, max: 9 }), fits: [0, 9], doesNot: [-1, 10, Infinity] },
  { kind: 'byteCount', spec: byteCount(7, ''), fits: [1, Infinity], doesNot: [0, 0.5, '64k'] },
  { kind: 'milliseconds', spec: milliseconds(7, ''), fits: [1, 1.5, Infinity], doesNot: [0, 0.9, NaN, false] },
  { kind: 'flag', spec: flag(true, ''), fits: [true, false], doesNot: [0, 1, 'true', null] },
  { kind: 'oneOf', spec: oneOf(['wait', 'refuse'], 'wait', ''), fits: ['wait', 'refuse'], doesNot: ['', 'Wait', 0] },
  { kind: 'text', spec: text(undefined, ''), fits: ['', 'x'], doesNot: [0, null, ['x']] },
]

for (const { kind, spec, fits, doesNot } of rows) {
  test(`readOptions takes what a ${kind} may be, and refuses what it may not`, () => {
    for (const given of fits) assert.equal(readOptions('a test', { it: spec }, { it: given }).it, given)
    for (const given of doesNot) {
      assert.throws(
        () => readOptions('a test', { it: spec }, { it: given }),
        { name: 'UsageError', code: 'ERR_OPTION_VALUE', fault: 'local', details: { option: 'it' } },
        `${typeof given} ${String(given)}`,
      )
    }
    for (const absent of [undefined, {}, { it: undefined }]) {
      assert.equal(readOptions('a test', { it: spec }, absent).it, spec.fallback)
    }
  })
}

test('readOptions refuses an option it does not know, and names the nearest that it does', () => {
  const specs = { maxConnections: count(1, ''), idleTimeoutMs: milliseconds(1, '') }
  const refused = (given: object): UsageError => {
    try {
      readOptions('a test', specs, given)
    } catch (error) {
      if (error instanceof UsageError) return error
    }
    return assert.fail('it was taken')
  }
  const typo = refused({ maxConections: 5 })
  assert.equal(typo.code, 'ERR_OPTION_UNKNOWN')
  assert.deepEqual(typo.details, { option: 'maxConections', nearest: 'maxConnections' })
  // Nothing is near: all are told. A name of every object is no option.
  assert.deepEqual(refused({ xyz: 5 }).details, { option: 'xyz' })
  assert.deepEqual(refused(Object.fromEntries([['__proto__', 5]])).details, { option: '__proto__' })
  assert.equal(refused({ toString: undefined }).code, 'ERR_OPTION_UNKNOWN')
})

test('readOptions gives settings that cannot be changed', () => {
  const settings: { it: unknown } = readOptions('a test', { it: count(7, '') }, { it: 8 })
  assert.throws(() => {
    settings.it = 9
  }, TypeError)
})

test('nearestName is at most a third of the letters away, and two in any case', () => {
  const known = ['connect', 'listen', 'run']
  const nearest: readonly [typed: string, meant: string | undefined][] = [
    ['conect', 'connect'],
    ['LISTEN', 'listen'],
    ['listne', 'listen'],
    ['rum', 'run'],
    ['cnnct', 'connect'],
    ['cnct', undefined],
    ['serve', undefined],
  ]
  for (const [typed, meant] of nearest) assert.equal(nearestName(typed, known), meant, typed)
})
