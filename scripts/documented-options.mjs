// Which options docs/OPTIONS.md lists, in this order. One that is exported as …_OPTIONS and is missing here is a
// finding of `npm run check`.
export const documentedOptions = [
  { title: 'Servers', door: 'moorage/server', file: 'server/server-options', name: 'LIFECYCLE_OPTIONS' },
  { title: 'Stream servers', door: 'moorage/server', file: 'server/server-options', name: 'STREAM_SERVER_OPTIONS' },
  {
    title: 'Datagram servers',
    door: 'moorage/server',
    file: 'server/datagram-options',
    name: 'DATAGRAM_SERVER_OPTIONS',
  },
  { title: 'Admission', door: 'moorage/server', file: 'server/admission', name: 'ADMISSION_OPTIONS' },
  { title: 'The model concurrent()', door: 'moorage/server', file: 'server/models/model', name: 'CONCURRENT_OPTIONS' },
  { title: 'The model threads()', door: 'moorage/server', file: 'server/models/model', name: 'THREADS_OPTIONS' },
  { title: 'The model processes()', door: 'moorage/server', file: 'server/models/model', name: 'PROCESSES_OPTIONS' },
  {
    title: 'Datagram sockets',
    door: 'moorage/transport',
    file: 'transport/datagram-options',
    name: 'DATAGRAM_OPTIONS',
  },
  {
    title: 'Connected datagram sockets',
    door: 'moorage/transport',
    file: 'transport/datagram-options',
    name: 'CONNECT_DATAGRAM_OPTIONS',
  },
  { title: 'Datagram requests', door: 'moorage/transport', file: 'transport/udp-request', name: 'REQUEST_OPTIONS' },
  { title: 'Connecting', door: 'moorage/transport', file: 'transport/connect', name: 'CONNECT_OPTIONS' },
  { title: 'Listening', door: 'moorage/transport', file: 'transport/listen-options', name: 'LISTEN_OPTIONS' },
  { title: 'Connections', door: 'moorage/transport', file: 'transport/connection-options', name: 'CONNECTION_OPTIONS' },
  {
    title: 'Memory network',
    door: 'moorage/transport',
    file: 'transport/memory/network-options',
    name: 'NETWORK_OPTIONS',
  },
  { title: 'Lines', door: 'moorage/engine/framing', file: 'engine/framing/lines', name: 'LINE_OPTIONS' },
  {
    title: 'Delimited frames',
    door: 'moorage/engine/framing',
    file: 'engine/framing/delimiter',
    name: 'DELIMITER_OPTIONS',
  },
  {
    title: 'Frames with a length prefix',
    door: 'moorage/engine/framing',
    file: 'engine/framing/length-prefix',
    name: 'FRAME_OPTIONS',
  },
  { title: 'Netstrings', door: 'moorage/engine/framing', file: 'engine/framing/netstring', name: 'NETSTRING_OPTIONS' },
  {
    title: 'PROXY headers',
    door: 'moorage/engine/proxy-protocol',
    file: 'engine/proxy-protocol/decoder',
    name: 'PROXY_HEADER_OPTIONS',
  },
]
