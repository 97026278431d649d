import type { ProxyHeader, ProxyHeaderEvent, ProxyHeaderOptions } from '#src/engine/proxy-protocol/index.js'
import type { WireRow } from '#src/testing/splits.js'

export type Row = WireRow<ProxyHeaderEvent, ProxyHeaderOptions>

export const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
export const fromHex = (hex: string): string =>
  latin1(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))

export const row = (name: string, bytes: string, header: ProxyHeader, rest: string = ''): Row => {
  return { name, bytes: bytes + rest, events: [{ type: 'header', header }], rest }
}

export const bad = (name: string, bytes: string): Row => ({ name, bytes, events: [], error: 'ERR_PROXY_HEADER' })

export const UNKNOWN_V1: ProxyHeader = { version: 1, command: 'proxy' }
export const TCP4: NonNullable<ProxyHeader['route']> = {
  transport: 'stream',
  source: { family: 'ipv4', address: '192.0.2.1', port: 56324 },
  destination: { family: 'ipv4', address: '198.51.100.2', port: 443 },
}
