import { suite, test } from 'node:test'
import { missing } from '../cli/_programs.js'
import { checkFault, type Fault } from './_faults.js'
import { BODY_FAULTS } from './_faults-body.js'
import { CONNECT_FAULTS } from './_faults-connect.js'
import { PROXY_FAULTS } from './_faults-proxy.js'
import { RESPONSE_FAULTS } from './_faults-response.js'
import { TLS_FAULTS } from './_faults-tls.js'
import { WEBSOCKET_FAULTS } from './_faults-websocket.js'

const PHASES: Readonly<Record<string, readonly Fault[]>> = {
  'the URL, names and connections': CONNECT_FAULTS,
  TLS: TLS_FAULTS,
  proxies: PROXY_FAULTS,
  responses: RESPONSE_FAULTS,
  bodies: BODY_FAULTS,
  WebSockets: WEBSOCKET_FAULTS,
}

/** Most of the time of one is that of a program which starts. */
const SIDE_BY_SIDE = 3

for (const [phase, faults] of Object.entries(PHASES)) {
  void suite(`errors that explain, and moorage why: ${phase}`, { concurrency: SIDE_BY_SIDE }, () => {
    for (const fault of faults)
      void test(
        `${fault.title}: ${String(fault.name)}, at the step ${String(fault.step)}`,
        { skip: missing(...(fault.needs ?? [])) },
        (t) => checkFault(t, fault),
      )
  })
}
