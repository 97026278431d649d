import { cloneState, type GameState } from './state.js'

/** What is known of who steers a ship. */
export interface Player {
  name: string
  /** The number of the last input that moved the ship. */
  ack: number
  /** As the server measured it; 0 before. */
  latencyMs: number
}

/** All that a server tells its players: the state, and who steers the ships in it. */
export interface View {
  readonly state: GameState
  readonly players: (Player | undefined)[]
}

export const cloneView = ({ state, players }: View): View => ({
  state: cloneState(state),
  players: players.map((player) => (player === undefined ? undefined : { ...player })),
})
