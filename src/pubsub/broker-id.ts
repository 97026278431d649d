/** 64 bits of chance: two brokers never have the same. */
export const newBrokerId = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 16)
