/** What a signal closes. */
interface Closable {
  close(options?: { readonly graceMs?: number }): Promise<unknown>
}

const servers = new Set<Closable>()
let heard = 0

function onSignal(): void {
  heard += 1
  for (const server of servers) void (heard === 1 ? server.close() : server.close({ graceMs: 0 }))
}

/**
 * Closes the server at the first SIGINT or SIGTERM, and cuts it at the second. One pair of listeners serves all
 * servers of the process; with the last server they go, and signals do what they did before.
 */
export function closeOnSignals(server: Closable): () => void {
  if (servers.size === 0) {
    heard = 0
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  }
  servers.add(server)
  return () => {
    servers.delete(server)
    if (servers.size > 0) return
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
