interface Unsupported {
  readonly short?: string
  /** Behind "Cannot use --x: ". */
  readonly why: string
}

const one = (why: string, short?: string): Unsupported => (short === undefined ? { why } : { why, short })

const OTHER_PROTOCOL = 'moorage curl speaks HTTP and HTTPS alone'
const OTHER_AUTH = 'there are --basic, --digest and --oauth2-bearer here'
const OLD_TLS = 'TLS 1.2 is the oldest that is spoken'
const NO_OF_TLS = 'of TLS there are --cacert, --capath, --cert, --key, --pass, --tlsv1.2 and --tlsv1.3 here'
const NO_SLOW = 'give -m, or --connect-timeout'

/** Flags of curl that are known, and of no use here. */
export const UNSUPPORTED: Readonly<Record<string, Unsupported>> = {
  'http1.0': one('HTTP/1.1 is spoken, with servers of HTTP/1.0 too', '0'),
  'http0.9': one('what is no response of HTTP/1 is an error here'),
  'http2-prior-knowledge': one('HTTP/2 is spoken over TLS alone, where the server chooses it'),
  http3: one('there is HTTP/1.1 and HTTP/2'),
  'http3-only': one('there is HTTP/1.1 and HTTP/2'),
  preproxy: one('one proxy is gone through; give -x'),
  proxytunnel: one('http: URLs are sent to a proxy as they are; https: ones go through a tunnel', 'p'),
  'proxy1.0': one('give -x'),
  'proxy-anyauth': one('give --proxy-digest'),
  'proxy-insecure': one('give -x with a proxy whose certificate is trusted'),
  'proxy-cacert': one('set NODE_EXTRA_CA_CERTS'),
  'limit-rate': one('pipe the body through what limits it, such as pv -L'),
  rate: one('run the commands by a timer'),
  'speed-limit': one(NO_SLOW, 'Y'),
  'speed-time': one(NO_SLOW, 'y'),
  'max-filesize': one('pipe into head -c'),
  interface: one('the system chooses where it connects from'),
  'local-port': one('the system chooses where it connects from'),
  'dns-servers': one('names are resolved by the system; give --resolve'),
  'dns-interface': one('names are resolved by the system; give --resolve'),
  'doh-url': one('names are resolved by the system; give --resolve'),
  'abstract-unix-socket': one('give --unix-socket with a path'),
  'haproxy-protocol': one('moorage connect can send the bytes'),
  'remove-on-error': one('moorage get -o keeps files whole'),
  raw: one('bodies are shown without what frames them'),
  'tr-encoding': one('give --compressed'),
  'ignore-content-length': one('a body ends where its length says'),
  'expect100-timeout': one('it is one second'),
  crlf: one('files are sent as they are'),
  'use-ascii': one('files are sent as they are', 'B'),
  append: one(OTHER_PROTOCOL, 'a'),
  'list-only': one(OTHER_PROTOCOL, 'l'),
  quote: one(OTHER_PROTOCOL, 'Q'),
  'ftp-port': one(OTHER_PROTOCOL, 'P'),
  'telnet-option': one(OTHER_PROTOCOL, 't'),
  'mail-from': one(OTHER_PROTOCOL),
  'mail-rcpt': one(OTHER_PROTOCOL),
  'proto-default': one('write https:// before the host'),
  negotiate: one(OTHER_AUTH),
  ntlm: one(OTHER_AUTH),
  'ntlm-wb': one(OTHER_AUTH),
  'aws-sigv4': one(OTHER_AUTH),
  'proxy-ntlm': one('there are --proxy-basic and --proxy-digest here'),
  'proxy-negotiate': one('there are --proxy-basic and --proxy-digest here'),
  sslv2: one(OLD_TLS, '2'),
  sslv3: one(OLD_TLS, '3'),
  tlsv1: one(OLD_TLS, '1'),
  'tlsv1.0': one(OLD_TLS),
  'tlsv1.1': one(OLD_TLS),
  'tls-max': one(NO_OF_TLS),
  ciphers: one(NO_OF_TLS),
  'tls13-ciphers': one(NO_OF_TLS),
  curves: one(NO_OF_TLS),
  'cert-type': one('certificates and keys are PEM'),
  'key-type': one('certificates and keys are PEM'),
  'cert-status': one(NO_OF_TLS),
  crlfile: one(NO_OF_TLS),
  pinnedpubkey: one(NO_OF_TLS),
  hsts: one('nothing is kept about hosts between two commands'),
  'alt-svc': one('nothing is kept about hosts between two commands'),
  'form-escape': one('quotes in names are sent as %22'),
  libcurl: one('it is a program of Node'),
  trace: one('give -v, which tells the heads'),
  'trace-ascii': one('give -v, which tells the heads'),
  manual: one('give --help', 'M'),
  version: one('moorage --version tells it', 'V'),
}
