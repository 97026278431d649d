import { TLS_CLIENT_OPTIONS } from './tls-files.js'

const OWN = {
  header: { type: 'text', short: 'H', value: '<name: value>', multiple: true, help: 'a field of the request' },
  form: { type: 'flag', short: 'f', help: 'send fields as a form, not as JSON; with a file it is a multipart form' },
  data: { type: 'text', short: 'd', value: '<text>', help: 'the body; @file is that of a file, @- that of stdin' },
  output: { type: 'text', short: 'o', value: '<file>', help: 'save the body; it gets its name when it is whole' },
  'remote-name': { type: 'flag', short: 'O', help: 'save the body under the last part of its URL' },
  resume: {
    type: 'flag',
    help: 'go on with what broke off: a download (--no-resume begins anew), or an upload of --data @file',
  },
  digest: { type: 'text', value: '<sha-256=…>', help: 'what the saved body must come to' },
  auth: {
    type: 'text',
    short: 'a',
    value: '<user:password>',
    help: 'credentials; MOORAGE_AUTH keeps them out of the history',
  },
  'auth-type': { type: 'text', value: '<basic|digest|bearer>', help: 'how they are given (default: basic)' },
  proxy: {
    type: 'text',
    short: 'x',
    value: '<url>',
    help: 'http:, https:, socks4a:, socks5: or socks5h:; "none" for none',
  },
  follow: { type: 'flag', short: 'L', help: 'go where redirects lead; --no-follow shows them' },
  'max-redirects': { type: 'number', value: '<n>', help: 'redirects one behind the other (default: 20)' },
  timeout: { type: 'seconds', value: '<time>', help: 'for all of it (default: 10m; none with -o and -O)' },
  'connect-timeout': { type: 'seconds', value: '<time>', help: 'for connecting (default: 10)' },
  retry: { type: 'number', value: '<n>', help: 'tries after one that failed for the moment (default: 2)' },
  compressed: { type: 'flag', help: 'ask for compressed bodies; --no-compressed takes them as they are' },
  include: { type: 'flag', short: 'i', help: 'show status and fields before the body; with -o and -O on stdout' },
  pretty: { type: 'flag', help: 'JSON in lines, and colour, also in a pipe; --no-pretty never' },
  timing: { type: 'flag', help: 'show where the time went' },
  cookies: { type: 'text', short: 'b', value: '<file>', help: 'keep cookies there: .json, or a Netscape cookies.txt' },
  session: {
    type: 'text',
    value: '<name>',
    help: 'keep cookies and credentials for the next command with this name and host; a path has a "/"',
  },
  netrc: { type: 'flag', short: 'n', help: 'credentials of ~/.netrc, or of the file that NETRC names' },
  har: { type: 'text', value: '<file>', help: 'write what was sent and what came as HAR, without credentials' },
  curl: {
    type: 'flag',
    help: 'print the command of curl that does the same, with what curl has not on stderr, and send nothing',
  },
  fail: { type: 'flag', help: 'a status from 400 up is an error: exit 24, or 25 from 500 up' },
} as const

/** Options of every command that sends a request. */
export const REQUEST_OPTIONS: typeof OWN & typeof TLS_CLIENT_OPTIONS = { ...OWN, ...TLS_CLIENT_OPTIONS }
