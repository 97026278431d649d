import { createHmac, timingSafeEqual } from 'node:crypto'

/** What shows that one knows the token, to whoever asked with this nonce. */
export function proofOf(token: string, nonce: Uint8Array): Uint8Array {
  return createHmac('sha256', token).update('moorage transfer, sender\0').update(nonce).digest()
}

/** Takes the same time for every wrong proof. */
export function proves(token: string, nonce: Uint8Array, proof: Uint8Array): boolean {
  const right = proofOf(token, nonce)
  return proof.length === right.length && timingSafeEqual(proof, right)
}
