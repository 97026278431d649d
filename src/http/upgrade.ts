import { encodeField, type FieldInit } from '../engine/http/fields.js'
import type { HandlerEnd } from '../server/handlers.js'
import type { StreamConnection } from '../transport/stream-connection.js'
import { addLines, type FieldPair } from './added-fields.js'
import { encodeFields, HttpResponse } from './response.js'

/** What goes on with a connection behind the switch. `end.over` is called once, when the connection is to be closed. */
export type Takeover = (connection: StreamConnection, end: HandlerEnd) => void

/** Without what is read of other answers: a body, a length. */
interface SwitchFields {
  readonly protocol: string
  readonly take: Takeover
}

/**
 * The answer 101 (RFC 9110 §7.8): behind it the connection speaks another protocol, and is `take`'s. What the client sent
 * behind its request is read first. Answer with it only where the request asks for that protocol and has no body.
 */
export class UpgradeResponse extends HttpResponse {
  readonly protocol: string
  readonly take: Takeover

  private constructor({ protocol, take }: SwitchFields, fields: string) {
    super(null, { status: 101 }, fields)
    this.protocol = protocol
    this.take = take
  }

  /** @throws UsageError `ERR_ARGUMENT` for a name or a value that cannot be sent. */
  static to(protocol: string, take: Takeover, headers: FieldInit = []): UpgradeResponse {
    const fields = `${encodeField('Upgrade', protocol)}Connection: Upgrade\r\n${encodeFields(headers, '')}`
    return new UpgradeResponse({ protocol, take }, fields)
  }

  override withAdded(added: readonly FieldPair[], lines: string): UpgradeResponse {
    return new UpgradeResponse(this, addLines(this.fields, added, lines))
  }
}

/** The answer 426 (RFC 9110 §15.5.22): this address speaks another protocol, and says which. */
export const upgradeRequired = (protocol: string, message: string, headers: FieldInit = []): HttpResponse =>
  new HttpResponse(
    `${message}\n`,
    { status: 426, headers },
    `${encodeField('Upgrade', protocol)}Connection: Upgrade\r\nContent-Type: text/plain; charset=utf-8\r\n`,
  )
