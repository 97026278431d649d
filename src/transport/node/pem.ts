export const toPem = (pem: string | Uint8Array): string | Buffer => (typeof pem === 'string' ? pem : Buffer.from(pem))

export const toPemList = (pems: string | Uint8Array | readonly (string | Uint8Array)[]): (string | Buffer)[] =>
  typeof pems === 'string' || pems instanceof Uint8Array ? [toPem(pems)] : pems.map(toPem)
