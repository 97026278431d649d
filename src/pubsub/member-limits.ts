import { BusyError, LimitError } from '../base/errors.js'

export const memberTaken = (id: string): BusyError =>
  new BusyError('ERR_MEMBER_TAKEN', `Cannot enter as ${JSON.stringify(id)}: there is a member of that id`)

export const roomFull = (maxRoomMembers: number): LimitError =>
  new LimitError('ERR_ROOM_LIMIT', `Cannot enter: the room has ${maxRoomMembers} members (maxRoomMembers)`, {
    details: { maxRoomMembers },
  })
