// Whole numbers only: they are exact below 2 ** 53 in every engine, which sines and square roots are not promised to be.

/** Directions that a ship can head to: 0 is east, 16 is south, since y grows downwards. */
export const HEADINGS = 64
/** The length of what `toDirection` gives. */
export const ONE = 1024

/** The sines of the first quarter, in 1024ths. */
const QUARTER = [0, 100, 200, 297, 392, 483, 569, 650, 724, 792, 851, 903, 946, 980, 1004, 1019, 1024]

function sine(heading: number): number {
  const place = heading & 31
  const value = QUARTER[place <= 16 ? place : 32 - place] ?? 0
  return (heading & 32) === 0 ? value : 0 - value
}

export const toDirection = (heading: number): readonly [x: number, y: number] => [sine(heading + 16), sine(heading)]

/** Rounds towards zero, which is never the negative one. */
export const divide = (dividend: number, divisor: number): number => Math.trunc(dividend / divisor) + 0

/** The whole part of a square root. Where an engine begins may differ, where this ends does not. */
export function squareRoot(square: number): number {
  let root = Math.floor(Math.sqrt(square))
  while (root * root > square) root -= 1
  while ((root + 1) * (root + 1) <= square) root += 1
  return root
}

export const clamp = (value: number, most: number): number => Math.max(-most, Math.min(most, value))

/** The next state of a generator of 32 bits that visits all of them (Weyl). */
export const nextRandom = (state: number): number => (state + 0x9e3779b9) >>> 0

/** Spreads the bits of a state: what is drawn from it. */
export function mix(state: number): number {
  let bits = state >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
  return (bits ^ (bits >>> 15)) >>> 0
}
