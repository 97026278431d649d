import type { Command } from './command.js'

/** Every verb of `moorage`. One is loaded only when it is used: the others cost nothing. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.js')).serve,
  run: async () => (await import('./commands/run.js')).run,
  connect: async () => (await import('./commands/connect.js')).connect,
  listen: async () => (await import('./commands/listen.js')).listen,
  send: async () => (await import('./commands/send.js')).send,
  receive: async () => (await import('./commands/receive.js')).receive,
  ...Object.fromEntries(
    ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'].map((name) => [
      name,
      async () => (await import('./commands/request.js')).requestCommand(name),
    ]),
  ),
  curl: async () => (await import('./commands/curl.js')).curl,
  why: async () => (await import('./commands/why.js')).why,
}

/** Options of every command. */
export const COMMON_OPTIONS = {
  json: { type: 'flag', help: 'one JSON object a line on stderr instead of words' },
  quiet: { type: 'flag', short: 'q', help: 'only what was asked for, and errors' },
  verbose: { type: 'flag', short: 'v', help: 'more words, and the causes of errors' },
  help: { type: 'flag', short: 'h', help: 'this help' },
} as const
