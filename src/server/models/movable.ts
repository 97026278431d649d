import { serialize } from 'node:v8'
import { UsageError } from '../../base/errors.js'
import { isPooled, type Model } from './model.js'

/**
 * Refuses what cannot move to the workers of this model: a handler that is no module, data that cannot be cloned.
 * @throws UsageError `ERR_HANDLER`, `ERR_OPTION_VALUE`.
 */
export function checkMovable(handler: unknown, data: unknown, model: Model): void {
  if (!isPooled(model)) return
  if (!(handler instanceof URL)) {
    throw new UsageError(
      'ERR_HANDLER',
      `Cannot run this handler under ${model.kind}(): a function or class cannot move to a worker; give the URL of the module that exports it, new URL('./handler.js', import.meta.url)`,
    )
  }
  try {
    if (model.kind === 'threads') structuredClone(data)
    else serialize(data)
  } catch (cause) {
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use option "data" under ${model.kind}(): it cannot be cloned; give plain values (no functions, sockets or files), and make the rest in the handler's module`,
      { cause },
    )
  }
}
