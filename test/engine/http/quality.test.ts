import { test } from 'node:test'
import { tryParseQuality, tryParseWeighted } from '#src/engine/http/quality.js'
import { checkTable } from './_table.js'

const WEIGHT = 'RFC 9110 §12.4.2'

test('tryParseQuality reads its table', () => {
  checkTable(tryParseQuality, [
    ['one', '1', 1, WEIGHT],
    ['one with a point', '1.', 1, WEIGHT],
    ['one with three zeros', '1.000', 1, WEIGHT],
    ['one with four zeros', '1.0000', undefined, WEIGHT],
    ['more than one', '1.001', undefined, WEIGHT],
    ['zero', '0', 0, WEIGHT],
    ['zero with a point', '0.', 0, WEIGHT],
    ['three decimals', '0.999', 0.999, WEIGHT],
    ['four decimals', '0.9999', undefined, WEIGHT],
    ['no zero', '.5', undefined, WEIGHT],
    ['two', '2', undefined, WEIGHT],
    ['a sign', '-0', undefined, WEIGHT],
    ['an exponent', '1e0', undefined, WEIGHT],
    ['nothing', '', undefined, WEIGHT],
    ['a line behind', '1\n', undefined, WEIGHT],
  ])
})

test('tryParseWeighted reads its table', () => {
  checkTable(tryParseWeighted, [
    ['nothing', '', [], WEIGHT],
    [
      'without weights',
      'GZip, *',
      [
        { value: 'gzip', quality: 1 },
        { value: '*', quality: 1 },
      ],
      WEIGHT,
    ],
    ['with one', 'br;q=0.5', [{ value: 'br', quality: 0.5 }], WEIGHT],
    ['spaces and a capital', 'br ;\tQ=0', [{ value: 'br', quality: 0 }], WEIGHT],
    ['space around =', 'br;q =0', undefined, WEIGHT],
    ['space behind =', 'br;q= 0', undefined, WEIGHT],
    ['another parameter', 'br;x=1', undefined, WEIGHT],
    ['another parameter behind', 'br;q=1;x=1', undefined, WEIGHT],
    ['no value', 'br;q', undefined, WEIGHT],
    ['two words', 'br gzip', undefined, WEIGHT],
    ['no semicolon', 'br q=1', undefined, WEIGHT],
    ['no name', ';q=1', undefined, WEIGHT],
    ['one bad member among good ones', 'br, gzip;q=2', undefined, WEIGHT],
    ['101 members', Array.from({ length: 101 }, () => 'a').join(), undefined, 'RFC 9110 §5.6.1'],
  ])
})
