// How the own ship is steered: keys, or a pointer that is held where to go.
import { HEADINGS } from './rules/arithmetic.js'
import { steerOf } from './rules/state.js'

const KEYS = {
  ArrowUp: [0, -1],
  KeyW: [0, -1],
  ArrowDown: [0, 1],
  KeyS: [0, 1],
  ArrowLeft: [-1, 0],
  KeyA: [-1, 0],
  ArrowRight: [1, 0],
  KeyD: [1, 0],
}
const DASH_KEYS = ['Space', 'ShiftLeft', 'ShiftRight']

export class Controls {
  #held = new Set()
  #pointers = new Map()
  #buttonIsHeld = false
  /** A press that was over before the next tick is one, too. */
  #wasPressed = false
  #heading = 0

  constructor(sea, button) {
    addEventListener('keydown', (event) => {
      if (event.target instanceof HTMLInputElement) return
      if (KEYS[event.code] === undefined && !DASH_KEYS.includes(event.code)) return
      this.#held.add(event.code)
      this.#wasPressed ||= DASH_KEYS.includes(event.code)
      event.preventDefault()
    })
    addEventListener('keyup', ({ code }) => this.#held.delete(code))
    addEventListener('blur', () => this.release())
    const hold = ({ pointerId, clientX, clientY }) => this.#pointers.set(pointerId, [clientX, clientY])
    sea.addEventListener('pointerdown', (event) => {
      sea.setPointerCapture(event.pointerId)
      hold(event)
    })
    sea.addEventListener('pointermove', (event) => this.#pointers.has(event.pointerId) && hold(event))
    for (const type of ['pointerup', 'pointercancel'])
      sea.addEventListener(type, ({ pointerId }) => this.#pointers.delete(pointerId))
    button.addEventListener('pointerdown', () => {
      this.#buttonIsHeld = true
      this.#wasPressed = true
    })
    for (const type of ['pointerup', 'pointercancel', 'pointerleave'])
      button.addEventListener(type, () => (this.#buttonIsHeld = false))
  }

  release() {
    this.#held.clear()
    this.#pointers.clear()
    this.#buttonIsHeld = false
    this.#wasPressed = false
  }

  /** As the rules have it; the pointer is seen from where the own ship stands in the window. */
  steer(shipX, shipY) {
    let [x, y] = [0, 0]
    for (const code of this.#held) {
      x += KEYS[code]?.[0] ?? 0
      y += KEYS[code]?.[1] ?? 0
    }
    const [pointer] = this.#pointers.values()
    if (x === 0 && y === 0 && pointer !== undefined) {
      const [dx, dy] = [pointer[0] - shipX, pointer[1] - shipY]
      // On the ship itself there is no direction.
      if (Math.hypot(dx, dy) > 12) [x, y] = [dx, dy]
    }
    const thrusts = x !== 0 || y !== 0
    if (thrusts) this.#heading = Math.round((Math.atan2(y, x) / (2 * Math.PI)) * HEADINGS) & (HEADINGS - 1)
    // A second finger dashes, wherever it is.
    const isHeld = this.#buttonIsHeld || this.#pointers.size > 1 || DASH_KEYS.some((code) => this.#held.has(code))
    const dashes = isHeld || this.#wasPressed
    this.#wasPressed = false
    return steerOf(this.#heading, thrusts, dashes)
  }
}
