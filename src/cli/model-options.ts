import { UsageError } from '../base/index.js'
import { concurrent, processes, serial, threads, type Model } from '../server/index.js'

export const MODEL_OPTIONS = {
  model: {
    type: 'text',
    short: 'm',
    value: '<model>',
    default: 'concurrent',
    help: 'serial, concurrent, threads or processes',
  },
  size: { type: 'number', value: '<n>', help: 'how many workers threads and processes have (default: 2)' },
  accept: {
    type: 'text',
    value: '<who>',
    help: 'parent or shared: who accepts under threads and processes (default: parent)',
  },
} as const

export interface ModelChoice {
  readonly model: string | undefined
  readonly size: number | undefined
  readonly accept: string | undefined
}

/** @throws UsageError `ERR_OPTION_VALUE`. */
export function modelFrom({ model, size, accept }: ModelChoice): Model {
  if (accept !== undefined && accept !== 'parent' && accept !== 'shared') {
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --accept ${accept}: expected parent or shared`)
  }
  const stray = size === undefined ? (accept === undefined ? undefined : '--accept') : '--size'
  if (stray !== undefined && (model === undefined || model === 'concurrent' || model === 'serial')) {
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use ${stray} under the model ${model ?? 'concurrent'}: it has no workers; add --model threads or --model processes`,
    )
  }
  const pool: { readonly size?: number; readonly accept?: 'parent' | 'shared' } = {
    ...(size === undefined ? {} : { size }),
    ...(accept === undefined ? {} : { accept }),
  }
  switch (model) {
    case undefined:
    case 'concurrent':
      return concurrent()
    case 'serial':
      return serial()
    case 'threads':
      return threads(pool)
    case 'processes':
      return processes(pool)
    default:
      throw new UsageError(
        'ERR_OPTION_VALUE',
        `Cannot use --model ${model}: expected serial, concurrent, threads or processes`,
      )
  }
}
