import { StreamHandler } from 'moorage'

/** A handler that runs under every model: the default export of a module. */
export default class Shout extends StreamHandler {
  override async handle(): Promise<void> {
    for await (const line of this.lines()) await this.write(line.toUpperCase())
  }
}
