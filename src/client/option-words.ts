/** Who is told what to do: a program, by the names of options; a person, by the flags of a command. */
export type Asker = 'library' | 'request' | 'why' | 'curl'

type Words = Readonly<Partial<Record<Asker, string>>>

/** What each of them has for the same. Who has nothing for it is not told of it. */
export const OPTION_WORDS: Readonly<Record<string, Words>> = {
  authority: {
    library: 'give the certificate of its authority as tls.ca',
    request: 'give the certificate of its authority with --ca',
    why: 'give the certificate of its authority with --ca',
    curl: 'give the certificate of its authority with --cacert',
  },
  'client certificate': {
    library: 'tls.cert and tls.key',
    request: '--cert and --key',
    why: '--cert and --key',
    curl: '--cert and --key',
  },
  'TLS versions': { library: 'tls.minVersion' },
  ALPN: { library: 'tls.alpn', request: '--alpn', why: '--alpn' },
  'server name': { library: 'tls.serverName', request: '--server-name', why: '--server-name' },
  unverified: {
    library: 'leave tls.verify on but for tests',
    request: 'leave --insecure away but for tests',
    why: 'leave --insecure away but for tests',
    curl: 'leave --insecure away but for tests',
  },
  connectTimeoutMs: {
    library: 'connectTimeoutMs',
    request: '--connect-timeout',
    why: '--connect-timeout',
    curl: '--connect-timeout',
  },
  handshakeTimeoutMs: { library: 'handshakeTimeoutMs', why: '--handshake-timeout', curl: '--connect-timeout' },
  responseTimeoutMs: { library: 'responseTimeoutMs', why: '--response-timeout' },
  bodyTimeoutMs: { library: 'bodyTimeoutMs', why: '--body-timeout' },
  timeoutMs: { library: 'timeoutMs', request: '--timeout', why: '--timeout', curl: '--max-time' },
  maxRedirects: { library: 'maxRedirects', request: '--max-redirects', why: '--max-redirects', curl: '--max-redirs' },
  maxBodyBytes: { library: 'maxBodyBytes', why: '--max-body' },
  'by pieces': {
    library: 'read it piece by piece',
    request: 'save it with --output',
    why: 'save it with moorage get',
    curl: 'save it with --output',
  },
  undecoded: {
    library: 'with decompress: false',
    request: 'with --no-compressed',
    why: 'with --no-compressed',
    curl: 'without --compressed',
  },
  maxConnectionsPerOrigin: { library: 'maxConnectionsPerOrigin' },
  maxWaiting: { library: 'maxWaiting' },
}

let asker: Asker = 'library'

/** Says for whom suggestions are in this process: a command does, before it begins. */
export function suggestTo(whom: Asker): void {
  asker = whom
}

/**
 * The words for whoever asks: `{name}` is what they have for it, and what stands in brackets is left out where that is
 * nothing: `'look at the server[, or raise {bodyTimeoutMs}]'`.
 */
export function inTheirWords(template: string, whom: Asker = asker): string {
  return template
    .replaceAll(/\[([^[\]]*\{([^{}]+)\}[^[\]]*)\]/g, (_whole, clause: string, name: string) =>
      wordsFor(name, whom) === undefined ? '' : clause,
    )
    .replaceAll(/\{([^{}]+)\}/g, (_whole, name: string) => {
      const words = wordsFor(name, whom)
      if (words === undefined) throw new TypeError(`${whom} has no words for ${name}`)
      return words
    })
}

const wordsFor = (name: string, whom: Asker): string | undefined => OPTION_WORDS[name]?.[whom]
