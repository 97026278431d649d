import type { HubLink } from './hub-link.js'

let installed: HubLink | undefined

/** In a worker, before its handler is loaded: `memory:` is what its parent has from then on. */
export function installLink(link: HubLink): void {
  installed = link
}

/** The way to the parent, in a worker of a server. */
export const installedLink = (): HubLink | undefined => installed
