import { hash } from 'node:crypto'

/** A number that looks like chance, and follows from what it is asked for: the same in each run. */
export const chance = (seed: number, ...about: readonly (string | number)[]): number =>
  hash('sha256', `${seed} ${about.join(' ')}`, 'buffer').readUInt32LE(0)
