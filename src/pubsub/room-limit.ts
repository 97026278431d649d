import { LimitError } from '../base/errors.js'

export function tooMany(verb: string, option: string, limit: number): LimitError {
  return new LimitError('ERR_ROOM_LIMIT', `Cannot ${verb}: there are as many as ${option} allows, ${limit}`, {
    details: { [option]: limit },
  })
}
