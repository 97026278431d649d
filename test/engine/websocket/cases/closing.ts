// Section 7: how the two ends say goodbye, and what may stand in a close frame.
import { begin, close, last, octets, ping, text } from '../_frames.js'
import { asciiOf, CLOSE, echoed, FRAME, GREETING, leave, numbered, UTF8, type Case } from './case.js'

const NOT_UTF8 = Buffer.concat([Buffer.from('κόσμε'), octets(0xed, 0xa0, 0x80), Buffer.from('edited')])
const clean = { answers: [], ends: [1000] }

export const CASES: readonly Case[] = [
  ...numbered('7.1', [
    { name: 'a text, and a close', sent: [text(GREETING)], answers: [echoed.text(GREETING)] },
    { name: 'two closes', sent: [leave(), close()], ...clean },
    { name: 'a ping behind a close', sent: [leave(), ping()], ...clean },
    { name: 'a text behind a close', sent: [leave(), text(GREETING)], ...clean },
    { name: 'a close between two frames of a text', sent: [begin(1, 'star'), leave(), last('board')], ...clean },
    {
      name: 'a text of 256 KiB, another, a close and a ping',
      sent: [text(asciiOf(262_144)), text(GREETING), leave(), ping()],
      answers: [echoed.text(asciiOf(262_144)), echoed.text(GREETING)],
      ends: [1000],
    },
  ]),
  ...numbered('7.3', [
    { name: 'a close without a code', sent: [close()], answers: [], ends: [1005] },
    { name: 'a close of one byte', sent: [close('a')], answers: [], ...CLOSE },
    { name: 'a close with a code', sent: [leave()], ...clean },
    { name: 'a close with a reason', sent: [leave(1000, GREETING)], ...clean },
    { name: 'a close with a reason of 123 bytes', sent: [leave(1000, asciiOf(123))], ...clean },
    { name: 'a close with a reason of 124 bytes', sent: [leave(1000, asciiOf(124))], answers: [], ...FRAME },
  ]),
  ...numbered('7.5', [
    {
      name: 'a close with a reason that is no UTF-8',
      sent: [leave(1000, NOT_UTF8)],
      answers: [],
      ...UTF8,
      ends: [1007, 1002],
    },
  ]),
  ...numbered(
    '7.7',
    [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map((code) => ({
      name: `a close with ${code}`,
      sent: [leave(code)],
      answers: [],
      ends: [code, 1000],
    })),
  ),
  ...numbered(
    '7.9',
    [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999].map((code) => ({
      name: `a close with ${code}, which may not be sent`,
      sent: [leave(code)],
      answers: [],
      ...CLOSE,
    })),
  ),
  ...numbered(
    '7.13',
    // The suite leaves these to the other end.
    [5000, 65_535].map((code) => ({
      name: `a close with ${code}, which nobody has defined`,
      sent: [leave(code)],
      answers: [],
      ...CLOSE,
    })),
  ),
]
