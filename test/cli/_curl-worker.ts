import { UsageError } from '#src/base/index.js'
import { curl } from '#src/cli/commands/curl.js'
import { Output } from '#src/cli/output.js'

/** One command line for a process that runs many: what it prints is kept and sent back. */
export interface CurlJob {
  readonly words: readonly string[]
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface CurlJobDone {
  readonly out: string
  readonly err: string
  readonly exit: number
}

process.on('message', (job: CurlJob) => {
  void run(job).then((done) => process.send?.(done))
})

async function run({ words, folder, env }: CurlJob): Promise<CurlJobDone> {
  process.chdir(folder)
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
  const restore = [keep('stdout'), keep('stderr')] as const
  let exit = 0
  try {
    const output = new Output({ json: false, quiet: false, verbose: false })
    exit = await curl.run(words, {}, { output, signal: new AbortController().signal })
  } catch (error) {
    exit = error instanceof UsageError ? 2 : 1
    process.stderr.write(String(error))
  }
  const [out, err] = restore.map((end) => end())
  process.chdir('/')
  return { out: out ?? '', err: err ?? '', exit }
}

/** Takes what is written; the call that is returned gives it, and the stream back. */
function keep(name: 'stdout' | 'stderr'): () => string {
  const stream = process[name]
  const { write } = stream
  let text = ''
  const take = (piece: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    const coding = encoding === 'latin1' ? 'latin1' : 'utf8'
    text += (typeof piece === 'string' ? Buffer.from(piece, coding) : Buffer.from(piece)).toString('latin1')
    const told = typeof encoding === 'function' ? encoding : done
    if (typeof told === 'function') queueMicrotask(() => Reflect.apply(told, undefined, []))
    return true
  }
  stream.write = take
  return () => {
    stream.write = write
    return text
  }
}
