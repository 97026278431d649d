import { HttpHandler, text, type HttpResponse } from 'moorage/http'

/** A handler that runs under every model: the default export of a module. */
export default class Greeter extends HttpHandler {
  override get(): HttpResponse {
    return text(`You asked for ${this.request.path}\n`)
  }
}
