import { HEADINGS, mix } from '../../../examples/game/rules/arithmetic.js'
import { steerOf, type Command } from '../../../examples/game/rules/state.js'

/** Commands of a made up game, the same for the same seed: so many ships come, steer, and some leave and come again. */
export function madeUp(seed: number, ships: number, tick: number): Command[] {
  const commands: Command[] = []
  for (let ship = 0; ship < ships; ship += 1) {
    const chance = mix(seed ^ mix(tick * 1009 + ship * 9176))
    if (tick === 1 + (ship % 7)) commands.push({ type: 'join', ship })
    else if (chance % 400 === 0) commands.push({ type: 'leave', ship })
    else if (chance % 400 === 1) commands.push({ type: 'join', ship })
    else if (chance % 12 === 2) {
      const bits = mix(chance)
      const steer = steerOf(bits % HEADINGS, (bits & 0x300) !== 0, (bits & 0x1c00) === 0)
      commands.push({ type: 'steer', ship, steer })
    }
  }
  return commands
}
