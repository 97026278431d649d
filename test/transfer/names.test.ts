import assert from 'node:assert/strict'
import { normalize } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { errorCodeOf } from '#src/base/errors.js'
import { parseName } from '#src/transfer/names.js'

const refused: readonly (readonly [why: string, name: string])[] = [
  ['empty', ''],
  ['the folder itself', '.'],
  ['its parent', '..'],
  ['a parent in front', '../a'],
  ['a parent within', 'a/../../b'],
  ['a parent at the end', 'a/..'],
  ['absolute', '/etc/passwd'],
  ['two slashes', 'a//b'],
  ['a slash at the end', 'a/'],
  ['a drive', 'C:/windows'],
  ['a drive without a folder', 'c:x'],
  ['a drive within', 'a/D:'],
  ['backslashes', '..\\..\\a'],
  ['a share', '\\\\host\\share'],
  ['NUL', 'a\0b'],
  ['a line feed', 'a\nb'],
  ['an escape', 'a\x1b[2J'],
  ['DEL', 'a\x7f'],
  ['C1', 'a\x85b'],
  ['a line separator', 'a\u2028b'],
  ['an override of direction', 'gpj\u202eexe'],
  ['a dot at the end', 'a.'],
  ['three dots', '...'],
  ['a space at the end', 'a '],
  ['a folder with a dot at the end', 'a./b'],
  ['a lone surrogate', 'a\ud800'],
  ['a part of 256 bytes', 'a'.repeat(256)],
  ['a part of 256 bytes in 128 characters', 'é'.repeat(128)],
  ['129 parts', Array.from({ length: 129 }, () => 'a').join('/')],
  ['a sidecar', 'x.part.moorage'],
  ['a lock', 'x.part.lock'],
]

const taken = [
  'a',
  'a/b/c',
  '.hidden',
  '..a',
  'a..b',
  ' a',
  'a b',
  'grüße.txt',
  '写真/1.jpg',
  '12:30.txt',
  'x.part',
  'a'.repeat(255),
  Array.from({ length: 128 }, () => 'a').join('/'),
]

for (const [why, name] of refused) {
  test(`parseName refuses ${why}`, () => {
    assert.throws(() => parseName(name), { code: 'ERR_TRANSFER_NAME' })
  })
}

test('parseName takes what stays in the folder', () => {
  for (const name of taken) assert.deepEqual(parseName(name), name.split('/'))
})

test('parseName takes no name that leaves the folder, on any system', () => {
  const pieces = fc.constantFrom('..', '.', '/', '\\', 'a', 'C:', '\0', ' ', '...', '\u2215', 'b', '~', '%2e%2e')
  const names = fc.oneof(
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 20 }),
  )
  fc.assert(
    fc.property(names, (name) => {
      try {
        parseName(name)
      } catch (error) {
        assert.equal(errorCodeOf(error), 'ERR_TRANSFER_NAME')
        return
      }
      const path = normalize(`/folder/${name}`)
      assert.ok(path.startsWith('/folder/') && path.length > '/folder/'.length, path)
      assert.doesNotMatch(name, /\\|\0|(^|\/)\.\.(\/|$)/)
    }),
    { numRuns: 2000 },
  )
})
