// RFC 7692 §5 and §7.1: what is offered, what is answered, and what comes of it, on both sides.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  acceptOffer,
  offerDeflate,
  readAnswer,
  type DeflateParameters,
  type DeflateWishes,
} from '#src/engine/websocket/deflate-parameters.js'
import { tryParseExtensions } from '#src/engine/websocket/extensions.js'

const PMD = 'permessage-deflate'
const KEEP: DeflateWishes = { ownContextTakeover: true, peerContextTakeover: true }
const DEFAULTS: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}
const BITS = [9, 10, 11, 12, 13, 14, 15]

type Row = readonly [
  given: string,
  parameters: Partial<DeflateParameters>,
  answer?: string,
  wishes?: Partial<DeflateWishes>,
]

suite('acceptOffer takes', () => {
  const server = (bits: number): Row => [
    `${PMD}; server_max_window_bits=${bits}`,
    { serverMaxWindowBits: bits },
    `${PMD}; server_max_window_bits=${bits}`,
  ]
  const rows: readonly Row[] = [
    [PMD, {}],
    [`${PMD}; client_max_window_bits`, {}],
    // A hint: this side can inflate any window.
    ...[8, ...BITS].map((bits): Row => [`${PMD}; client_max_window_bits=${bits}`, {}]),
    ...BITS.map(server),
    [`${PMD}; server_max_window_bits="10"`, { serverMaxWindowBits: 10 }, `${PMD}; server_max_window_bits=10`],
    [`${PMD}; server_no_context_takeover`, { serverNoContextTakeover: true }, `${PMD}; server_no_context_takeover`],
    [`${PMD}; client_no_context_takeover`, { clientNoContextTakeover: true }, `${PMD}; client_no_context_takeover`],
    [
      `${PMD};server_max_window_bits=9 ; client_max_window_bits = 10;server_no_context_takeover; client_no_context_takeover`,
      { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 9 },
      `${PMD}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9`,
    ],
    [PMD, { serverNoContextTakeover: true }, `${PMD}; server_no_context_takeover`, { ownContextTakeover: false }],
    [PMD, { clientNoContextTakeover: true }, `${PMD}; client_no_context_takeover`, { peerContextTakeover: false }],
    // The first that can be done.
    [`x-webkit-deflate-frame, ${PMD}; client_max_window_bits`, {}],
    [
      `${PMD}; server_max_window_bits=8, ${PMD}; server_max_window_bits=9`,
      { serverMaxWindowBits: 9 },
      `${PMD}; server_max_window_bits=9`,
    ],
    [`${PMD}; x=1, ${PMD}`, {}],
    [
      `${PMD}; server_no_context_takeover, ${PMD}`,
      { serverNoContextTakeover: true },
      `${PMD}; server_no_context_takeover`,
    ],
    [`${PMD}; server_no_context_takeover; server_no_context_takeover, ${PMD}`, {}],
    [`other; a; a, ${PMD}`, {}],
    [`, ${PMD},`, {}],
  ]
  for (const [offers, parameters, answer = PMD, wishes] of rows)
    test(`${offers}, where ${JSON.stringify(wishes ?? {})} is wished`, () => {
      assert.deepEqual(acceptOffer(offers, { ...KEEP, ...wishes }), {
        parameters: { ...DEFAULTS, ...parameters },
        answer,
      })
      // What is answered is understood by a client as it was meant, but for the bits of its own that nobody limits.
      const understood = readAnswer(answer, { ownContextTakeover: true, peerContextTakeover: true })
      assert.deepEqual(understood, { ...DEFAULTS, ...parameters })
    })
})

const WRONG_VALUES = ['7', '16', '0', '08', '010', '1e1', '+9', '-9', '9.0', '0x9', '15a', '100', '""']

suite('acceptOffer goes on without', () => {
  const rows: readonly string[] = [
    '',
    'x-webkit-deflate-frame',
    'permessage-bzip2',
    'Permessage-Deflate',
    `${PMD}2`,
    `${PMD}; server_max_window_bits=8`,
    `${PMD}; server_max_window_bits`,
    ...WRONG_VALUES.map((value) => `${PMD}; server_max_window_bits=${value}`),
    ...WRONG_VALUES.map((value) => `${PMD}; client_max_window_bits=${value}`),
    `${PMD}; server_no_context_takeover=true`,
    `${PMD}; client_no_context_takeover=1`,
    `${PMD}; Server_No_Context_Takeover`,
    `${PMD}; unknown`,
    `${PMD}; client_max_window_bits; client_max_window_bits=10`,
    `${PMD}; server_max_window_bits=10; server_max_window_bits=10`,
    `${PMD};`,
    `${PMD} server_no_context_takeover`,
    `${PMD}; server_no_context_takeover, a/b`,
  ]
  for (const offers of rows) test(JSON.stringify(offers), () => assert.equal(acceptOffer(offers, KEEP), undefined))
})

suite('offerDeflate says', () => {
  const rows: readonly (readonly [own: boolean, peer: boolean, offer: string])[] = [
    [true, true, `${PMD}; client_max_window_bits`],
    [true, false, `${PMD}; server_no_context_takeover; client_max_window_bits`],
    [false, true, `${PMD}; client_no_context_takeover; client_max_window_bits`],
    [false, false, `${PMD}; server_no_context_takeover; client_no_context_takeover; client_max_window_bits`],
  ]
  for (const [ownContextTakeover, peerContextTakeover, offer] of rows)
    test(offer, () => {
      const wishes = { ownContextTakeover, peerContextTakeover }
      assert.equal(offerDeflate(wishes), offer)
      const accepted = acceptOffer(offer, KEEP)
      assert.ok(accepted !== undefined)
      assert.deepEqual(readAnswer(accepted.answer, wishes), accepted.parameters, 'both sides mean the same')
    })
})

suite('readAnswer understands', () => {
  const rows: readonly Row[] = [
    [PMD, {}],
    ...BITS.flatMap((bits): Row[] => [
      [`${PMD}; server_max_window_bits=${bits}`, { serverMaxWindowBits: bits }],
      [`${PMD}; client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }],
    ]),
    // A window of 9 bits inflates one of 8.
    [`${PMD}; server_max_window_bits=8`, { serverMaxWindowBits: 9 }],
    [`${PMD}; server_no_context_takeover`, { serverNoContextTakeover: true }],
    [`${PMD}; client_no_context_takeover`, { clientNoContextTakeover: true }],
    [PMD, { clientNoContextTakeover: true }, '', { ownContextTakeover: false }],
    [`${PMD}; server_no_context_takeover`, { serverNoContextTakeover: true }, '', { peerContextTakeover: false }],
    [
      `${PMD}; client_max_window_bits=9; server_max_window_bits=10; client_no_context_takeover; server_no_context_takeover`,
      { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 9 },
    ],
  ]
  for (const [answer, parameters, , wishes] of rows)
    test(`${answer}, where ${JSON.stringify(wishes ?? {})} is wished`, () =>
      assert.deepEqual(readAnswer(answer, { ...KEEP, ...wishes }), { ...DEFAULTS, ...parameters }))
})

suite('readAnswer refuses', () => {
  const rows: readonly (readonly [answer: string, wishes?: Partial<DeflateWishes>])[] = [
    [''],
    ['permessage-bzip2'],
    [`${PMD}, ${PMD}`],
    [`${PMD}, other`],
    [`${PMD}; unknown`],
    [`${PMD}; client_max_window_bits`],
    [`${PMD}; server_max_window_bits`],
    [`${PMD}; client_max_window_bits=8`],
    ...WRONG_VALUES.flatMap((value) => [
      [`${PMD}; server_max_window_bits=${value}`] as const,
      [`${PMD}; client_max_window_bits=${value}`] as const,
    ]),
    [`${PMD}; server_no_context_takeover=1`],
    [`${PMD}; client_no_context_takeover; client_no_context_takeover`],
    [`${PMD};`],
    [PMD, { peerContextTakeover: false }],
    [`${PMD}; client_no_context_takeover`, { peerContextTakeover: false }],
  ]
  for (const [answer, wishes] of rows)
    test(`${JSON.stringify(answer)}, where ${JSON.stringify(wishes ?? {})} is wished`, () =>
      assert.equal(readAnswer(answer, { ...KEEP, ...wishes }), undefined))
})

test('tryParseExtensions tells names and parameters in their order, and which extension repeats one', () => {
  const told = tryParseExtensions('a , b; c ;d=e; f="g\\h", a; x=1; y; x=2')
  assert.deepEqual(
    told?.map(({ name, parameters, repeats }) => [name, [...parameters], repeats]),
    [
      ['a', [], false],
      [
        'b',
        [
          ['c', true],
          ['d', 'e'],
          ['f', 'gh'],
        ],
        false,
      ],
      [
        'a',
        [
          ['x', '1'],
          ['y', true],
        ],
        true,
      ],
    ],
  )
})
