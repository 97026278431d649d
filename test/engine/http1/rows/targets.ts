import { refusals, type ReadRow, type RefusedRow } from './row.js'

const TARGET = 'ERR_HTTP_TARGET 400'
const WRONG_HOST = 'ERR_HTTP_HOST 400'
const FORMS = 'RFC 9112 §3.2'
const get = (target: string, host: string): string => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
const hosted = (host: string): string => get('/', host)

const readable = (name: string, section: string, method: string, target: string, host: string): ReadRow => ({
  name,
  section,
  bytes: `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  requests: [{ method, target, host, fields: [['Host', host]] }],
})

export const READ: readonly ReadRow[] = [
  readable('an absolute target that agrees with Host', 'RFC 9112 §3.2.2', 'GET', 'http://a/b?c', 'a'),
  readable('an absolute target without a path', 'RFC 9112 §3.2.2', 'GET', 'http://a', 'a'),
  readable('an absolute target with a query and no path', 'RFC 9112 §3.2.2', 'GET', 'http://a?b', 'a'),
  readable('an absolute target of https with a port', 'RFC 9112 §3.2.2', 'GET', 'https://a:8443/', 'a:8443'),
  readable('CONNECT to a name', 'RFC 9112 §3.2.3', 'CONNECT', 'a:443', 'a:443'),
  readable('CONNECT to an IPv6 address', 'RFC 9112 §3.2.3', 'CONNECT', '[::1]:443', '[::1]:443'),
  readable('Host that is an IPv6 address', 'RFC 9110 §7.2', 'GET', '/', '[2001:db8::1]:8080'),
  readable('Host with the highest port', 'RFC 9110 §7.2', 'GET', '/', 'a:65535'),
  readable('Host with an empty port', 'RFC 9110 §7.2', 'GET', '/', 'a:'),
  readable('Host that is percent-encoded', 'RFC 9110 §7.2', 'GET', '/', 'a%2Db'),
  readable('an empty Host', 'RFC 9112 §3.2', 'GET', '/', ''),
  readable('a target with two slashes is a path', 'RFC 9112 §3.2.1', 'GET', '//b/c', 'a'),
  {
    name: 'the case of a scheme and of a host does not matter',
    section: 'RFC 9110 §4.2.3',
    bytes: get('HTTP://A/', 'a'),
    requests: [{ target: 'HTTP://A/', host: 'A' }],
  },
  {
    name: 'HTTP/1.0 with an absolute target and no Host',
    section: 'RFC 9112 §3.2.2',
    bytes: 'GET http://b/ HTTP/1.0\r\n\r\n',
    requests: [{ target: 'http://b/', host: 'b', version: '1.0', keepAlive: false, fields: [] }],
    ending: 'end',
  },
]

export const REFUSED: readonly RefusedRow[] = [
  ...refusals(TARGET, FORMS, {
    'a target without its slash': get('index.html', 'a'),
    'a query alone': get('?a', 'a'),
    'an asterisk with GET': get('*', 'a'),
    'an asterisk and more with OPTIONS': 'OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n',
    'a host and port with GET': get('a:80', 'a:80'),
    'a host and port with OPTIONS': 'OPTIONS a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n',
    'another scheme': get('ftp://a/', 'a'),
    'a scheme with one slash': get('http:/a/', 'a'),
    'a scheme without a host': get('http:///a', 'a'),
    'a scheme with a port alone': get('http://:80/', 'a'),
    'a user in an absolute target': get('http://b@a/', 'a'),
    'a user that looks like the host': get('http://a:80@b/', 'a:80'),
    'a host that is no host in an absolute target': get('http://[a]/', 'a'),
    'CONNECT without a port': 'CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT with an empty port': 'CONNECT a: HTTP/1.1\r\nHost: a:\r\n\r\n',
    'CONNECT with a port that is too high': 'CONNECT a:65536 HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT with a port and no host': 'CONNECT :443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT with a path': 'CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT with a URL': 'CONNECT http://a:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n',
    'CONNECT with a user': 'CONNECT b@a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
  }),
  ...refusals(WRONG_HOST, FORMS, {
    'no Host': 'GET / HTTP/1.1\r\n\r\n',
    'two Hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'the same Host twice': 'GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n',
    'two Hosts in HTTP/1.0': 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n',
    'an absolute target that names another host': get('http://b/', 'a'),
    'an absolute target that names another port': get('http://a:81/', 'a:80'),
    'an absolute target beside an empty Host': get('http://a/', ''),
    'an absolute target without Host': 'GET http://a/ HTTP/1.1\r\n\r\n',
    'CONNECT that names another host': 'CONNECT b:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
    'CONNECT beside a Host without its port': 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'a list in Host': hosted('a, b'),
    'a space in Host': hosted('a b'),
    'a path in Host': hosted('a/b'),
    'a query in Host': hosted('a?b'),
    'a fragment in Host': hosted('a#b'),
    'a user in Host': hosted('b@a'),
    'a URL in Host': hosted('http://a'),
    'a quotation mark in Host': hosted('"a"'),
    'a backslash in Host': hosted('a\\b'),
    'a byte above ASCII in Host': hosted('\xe4'),
    'a port that is no number': hosted('a:http'),
    'a port with a sign': hosted('a:+80'),
    'a port that is too high': hosted('a:65536'),
    'a port of six digits': hosted('a:000080'),
    'two ports': hosted('a:80:80'),
    'a port without a host': hosted(':80'),
    'an IPv6 address without brackets': hosted('::1'),
    'an IPv6 address with too many groups': hosted('[1:2:3:4:5:6:7:8:9]'),
    'brackets with colons only': hosted('[:::]'),
    'brackets with nothing in them': hosted('[]'),
    'brackets that are not closed': hosted('[::1'),
    'text behind brackets': hosted('[::1]a'),
    'text before brackets': hosted('a[::1]'),
    'an IPv6 address with a zone': hosted('[fe80::1%25eth0]'),
    'a percent sign that encodes nothing': hosted('a%2'),
  }),
]
