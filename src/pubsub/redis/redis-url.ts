import { wrongUrl } from '../broker-url.js'

export interface RedisAddress {
  /** Without the password: for messages. */
  readonly shown: string
  readonly host: string
  readonly port: number
  readonly isSecure: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
  /** What all keys begin with. */
  readonly prefix: string
}

const DEFAULT_PORT = 6379
const PREFIX = /^[\w.-]{1,64}$/

/** `redis[s]://[user[:password]@]host[:port][/database][?prefix=name]`. @throws UsageError `ERR_BROKER_URL`. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const form = 'expected redis://[user:password@]host[:port][/database][?prefix=name]'
  if (url === undefined || url.hostname === '') throw wrongUrl(`a host is missing; ${form}`)
  const database = url.pathname === '' || url.pathname === '/' ? '0' : url.pathname.slice(1)
  if (!/^\d{1,5}$/.test(database)) throw wrongUrl(`the database is no number; ${form}`)
  const prefix = url.searchParams.get('prefix') ?? 'moorage'
  if (!PREFIX.test(prefix)) throw wrongUrl('the prefix has other characters than letters, digits, ".", "_" and "-"')
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'prefix')
  if (unknown !== undefined) throw wrongUrl(`the parameter ${JSON.stringify(unknown)} is not known; ${form}`)
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port)
  return {
    shown: `${url.protocol}//${url.hostname}:${port}`,
    // As `net` takes an IPv6 address: without its brackets.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    isSecure: url.protocol === 'rediss:',
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    database: Number(database),
    prefix,
  }
}
