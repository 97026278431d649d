import type { ClientResponse } from './response.js'
import { Session } from './session.js'
import type { RequestOptions } from './session-options.js'

/** Of this thread, without cookies: made with the first request. */
let shared: Session | undefined
const session = (): Session => (shared ??= new Session({ cookies: false }))

/** As `Session.get`, in a session that this thread shares: connections are kept, cookies are not. */
export const get = (url: string | URL, given?: RequestOptions): Promise<ClientResponse> => session().get(url, given)
export const head = (url: string | URL, given?: RequestOptions): Promise<ClientResponse> => session().head(url, given)
export const options = (url: string | URL, given?: RequestOptions): Promise<ClientResponse> =>
  session().options(url, given)
export const post = (url: string | URL, given?: RequestOptions): Promise<ClientResponse> => session().post(url, given)
export const put = (url: string | URL, given?: RequestOptions): Promise<ClientResponse> => session().put(url, given)
export const patch = (url: string | URL, given?: RequestOptions): Promise<ClientResponse> => session().patch(url, given)
/** `delete` is a word of the language. */
export const del = (url: string | URL, given?: RequestOptions): Promise<ClientResponse> => session().delete(url, given)
