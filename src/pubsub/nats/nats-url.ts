import { wrongUrl } from '../broker-url.js'

export interface NatsAddress {
  /** Without the password: for messages. */
  readonly shown: string
  readonly server: string
  readonly isSecure: boolean
  readonly user: string | undefined
  readonly password: string | undefined
  readonly token: string | undefined
  /** What all subjects and streams begin with. */
  readonly prefix: string
  readonly storage: 'file' | 'memory'
  readonly replicas: number
}

const DEFAULT_PORT = 4222
const PREFIX = /^[\w-]{1,64}$/
const FORM = 'expected nats://[user:password@]host[:port][?prefix=name&storage=file|memory&replicas=1|3|5]'
const PARAMETERS = ['prefix', 'storage', 'replicas']

/** Also `tls://`, and a token in place of user and password. @throws UsageError `ERR_BROKER_URL`. */
export function parseNatsUrl(text: string): NatsAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '') throw wrongUrl(`a host is missing; ${FORM}`)
  if (url.pathname !== '' && url.pathname !== '/') throw wrongUrl(`it has a path; ${FORM}`)
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined) throw wrongUrl(`the parameter ${JSON.stringify(unknown)} is not known; ${FORM}`)
  const prefix = url.searchParams.get('prefix') ?? 'moorage'
  if (!PREFIX.test(prefix)) throw wrongUrl('the prefix has other characters than letters, digits, "_" and "-"')
  const storage = url.searchParams.get('storage') ?? 'file'
  if (storage !== 'file' && storage !== 'memory') throw wrongUrl('storage is "file" or "memory"')
  const replicas = url.searchParams.get('replicas') ?? '1'
  if (!/^[135]$/.test(replicas)) throw wrongUrl('replicas are 1, 3 or 5')
  const server = `${url.hostname}:${url.port === '' ? DEFAULT_PORT : url.port}`
  const user = url.username === '' ? undefined : decodeURIComponent(url.username)
  const password = url.password === '' ? undefined : decodeURIComponent(url.password)
  return {
    shown: `${url.protocol}//${server}`,
    server,
    isSecure: url.protocol === 'tls:',
    user: password === undefined ? undefined : user,
    password,
    token: password === undefined ? user : undefined,
    prefix,
    storage,
    replicas: Number(replicas),
  }
}
