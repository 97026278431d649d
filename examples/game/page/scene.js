// Draws the game as it is shown: the own ship in the middle, others where they were a moment ago.
import { toDirection } from './rules/arithmetic.js'
import { ARENA_RADIUS, headingOf, isDashing, PEARL_RADIUS, SHIP_RADIUS, UNITS_PER_POINT } from './rules/state.js'

const POINT = UNITS_PER_POINT
const TRAIL_MS = 700
const RIPPLE_MS = 450
const TURN_MS = 70
const SEEN_POINTS = 640

export const hueOf = (number) => (number * 137.5 + 205) % 360
export const colorOf = (number, isDark) => `hsl(${hueOf(number)} 70% ${isDark ? 62 : 45}%)`

export class Scene {
  #context
  #colors = {}
  #isDark = false
  /** By the number of the ship: the angle that is shown, and where it came along. */
  #shown = new Map()
  #pearls = []
  #ripples = []
  scale = 1
  width = 0
  height = 0

  constructor(canvas) {
    this.#context = canvas.getContext('2d')
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const read = () => {
      this.#isDark = scheme.matches
      const style = getComputedStyle(document.documentElement)
      // A canvas does not know light-dark(): the color that an element has does.
      const probe = document.createElement('i')
      document.body.append(probe)
      for (const name of ['sea', 'deep', 'ring', 'wall', 'own', 'ink', 'dim', 'panel', 'line']) {
        probe.style.color = style.getPropertyValue(`--${name}`)
        this.#colors[name] = getComputedStyle(probe).color
      }
      probe.remove()
    }
    scheme.addEventListener('change', read)
    read()
    const resize = () => {
      const ratio = Math.min(2, devicePixelRatio)
      this.width = innerWidth
      this.height = innerHeight
      canvas.width = Math.round(innerWidth * ratio)
      canvas.height = Math.round(innerHeight * ratio)
      this.scale = Math.min(1.6, Math.max(0.55, Math.min(innerWidth, innerHeight) / SEEN_POINTS))
      this.#context.setTransform(ratio, 0, 0, ratio, 0, 0)
    }
    addEventListener('resize', resize)
    resize()
  }

  get isDark() {
    return this.#isDark
  }

  /** `ships` is a list of { number, place, ship, name, isOwn }, `center` what is in the middle. */
  draw(nowMs, dtMs, center, ships, pearls) {
    const context = this.#context
    context.fillStyle = this.#colors.deep
    context.fillRect(0, 0, this.width, this.height)
    context.save()
    context.translate(this.width / 2, this.height / 2)
    context.scale(this.scale, this.scale)
    context.translate(-center.x / POINT, -center.y / POINT)
    this.#drawArena(context)
    this.#drawPearls(context, pearls, nowMs)
    for (const shown of ships) this.#follow(shown, nowMs, dtMs)
    for (const { number } of ships) this.#drawTrail(context, number, nowMs)
    for (const shown of ships) this.#drawShip(context, shown)
    this.#drawRipples(context, nowMs)
    for (const shown of ships) this.#drawName(context, shown)
    context.restore()
    const there = new Set(ships.map(({ number }) => number))
    for (const number of this.#shown.keys()) if (!there.has(number)) this.#shown.delete(number)
  }

  #drawArena(context) {
    const radius = ARENA_RADIUS / POINT
    context.beginPath()
    context.arc(0, 0, radius, 0, 2 * Math.PI)
    const water = context.createRadialGradient(0, 0, radius / 2, 0, 0, radius)
    water.addColorStop(0, this.#colors.sea)
    water.addColorStop(1, this.#colors.ring)
    context.fillStyle = water
    context.fill()
    context.lineWidth = 2
    context.strokeStyle = this.#colors.line
    context.globalAlpha = 0.5
    for (let ring = 125; ring < radius; ring += 125) {
      context.beginPath()
      context.arc(0, 0, ring, 0, 2 * Math.PI)
      context.stroke()
    }
    for (let spoke = 0; spoke < 16; spoke += 1) {
      const [x, y] = [Math.cos((spoke * Math.PI) / 8), Math.sin((spoke * Math.PI) / 8)]
      context.beginPath()
      context.moveTo(125 * x, 125 * y)
      context.lineTo(radius * x, radius * y)
      context.stroke()
    }
    context.globalAlpha = 1
    context.lineWidth = 6
    context.strokeStyle = this.#colors.wall
    context.beginPath()
    context.arc(0, 0, radius + 3, 0, 2 * Math.PI)
    context.stroke()
  }

  #drawPearls(context, pearls, nowMs) {
    for (const [index, { x, y, worth }] of pearls.entries()) {
      const was = this.#pearls[index]
      if (was !== undefined && was.worth > 0 && (worth === 0 || was.x !== x || was.y !== y))
        this.#ripples.push({ ...was, atMs: nowMs })
      this.#pearls[index] = { x, y, worth }
      if (worth === 0) continue
      const isGold = worth > 1
      const radius = (PEARL_RADIUS / POINT) * (isGold ? 1.5 : 1.1)
      const [px, py] = [x / POINT, y / POINT]
      context.beginPath()
      context.arc(px + 1, py + 2, radius, 0, 2 * Math.PI)
      context.fillStyle = 'rgb(0 20 40 / 18%)'
      context.fill()
      context.beginPath()
      context.arc(px, py, radius, 0, 2 * Math.PI)
      context.fillStyle = isGold ? '#f0b429' : this.#isDark ? '#d9e6f2' : '#ffffff'
      context.fill()
      context.lineWidth = 1
      context.strokeStyle = isGold ? '#b47d09' : this.#isDark ? '#9fb8cc' : '#9bb6c9'
      context.stroke()
      context.beginPath()
      context.arc(px - radius / 3, py - radius / 3, radius / 3.2, 0, 2 * Math.PI)
      context.fillStyle = isGold ? '#fff3c9' : '#ffffff'
      context.fill()
    }
  }

  /** A circle that grows where a pearl was taken. */
  #drawRipples(context, nowMs) {
    this.#ripples = this.#ripples.filter(({ atMs }) => nowMs - atMs < RIPPLE_MS).slice(-100)
    for (const { x, y, worth, atMs } of this.#ripples) {
      const share = (nowMs - atMs) / RIPPLE_MS
      context.globalAlpha = 1 - share
      context.beginPath()
      context.arc(x / POINT, y / POINT, 6 + 22 * share, 0, 2 * Math.PI)
      context.lineWidth = 2.5
      context.strokeStyle = worth > 1 ? '#f0b429' : this.#colors.wall
      context.stroke()
    }
    context.globalAlpha = 1
  }

  #follow({ number, place, ship }, nowMs, dtMs) {
    const [dx, dy] = toDirection(headingOf(ship.steer))
    const target = Math.atan2(dy, dx)
    const was = this.#shown.get(number) ?? { angle: target, trail: [] }
    const turn = Math.atan2(Math.sin(target - was.angle), Math.cos(target - was.angle))
    was.angle += turn * (1 - Math.exp(-dtMs / TURN_MS))
    const last = was.trail.at(-1)
    // A ship that is set elsewhere draws no line there.
    if (last !== undefined && Math.hypot(last.x - place.x, last.y - place.y) > 150 * POINT) was.trail = []
    was.trail.push({ x: place.x, y: place.y, atMs: nowMs, isFast: isDashing(ship) })
    while (was.trail.length > 0 && nowMs - was.trail[0].atMs > TRAIL_MS) was.trail.shift()
    this.#shown.set(number, was)
  }

  #drawTrail(context, number, nowMs) {
    const { trail } = this.#shown.get(number)
    if (trail.length < 3) return
    // One shape, so that it is as clear everywhere: along one side of the way, and back along the other.
    const sides = trail.map((spot, index) => {
      const [from, to] = [trail[Math.max(0, index - 1)], trail[Math.min(trail.length - 1, index + 1)]]
      const length = Math.hypot(to.x - from.x, to.y - from.y) || 1
      const half = (spot.isFast ? 9 : 6) * (1 - (nowMs - spot.atMs) / TRAIL_MS)
      const [nx, ny] = [(-half * (to.y - from.y)) / length, (half * (to.x - from.x)) / length]
      return [spot.x / POINT, spot.y / POINT, nx, ny]
    })
    context.beginPath()
    for (const [x, y, nx, ny] of sides) context.lineTo(x + nx, y + ny)
    for (const [x, y, nx, ny] of sides.toReversed()) context.lineTo(x - nx, y - ny)
    context.closePath()
    context.globalAlpha = trail.at(-1).isFast ? 0.5 : 0.25
    context.fillStyle = colorOf(number, this.#isDark)
    context.fill()
    context.globalAlpha = 1
  }

  #drawShip(context, { number, place, ship, isOwn }) {
    const radius = SHIP_RADIUS / POINT
    context.save()
    context.translate(place.x / POINT, place.y / POINT)
    context.rotate(this.#shown.get(number).angle)
    context.beginPath()
    context.moveTo(radius * 1.15, 0)
    context.bezierCurveTo(radius * 0.55, radius * 0.85, -radius * 0.5, radius * 0.9, -radius * 0.95, radius * 0.55)
    context.quadraticCurveTo(-radius * 0.7, 0, -radius * 0.95, -radius * 0.55)
    context.bezierCurveTo(-radius * 0.5, -radius * 0.9, radius * 0.55, -radius * 0.85, radius * 1.15, 0)
    context.closePath()
    if (isDashing(ship)) {
      context.shadowColor = colorOf(number, this.#isDark)
      context.shadowBlur = 18
    }
    context.fillStyle = colorOf(number, this.#isDark)
    context.fill()
    context.shadowBlur = 0
    context.lineWidth = isOwn ? 3 : 1.5
    context.strokeStyle = isOwn ? this.#colors.own : 'rgb(0 20 40 / 45%)'
    context.stroke()
    context.beginPath()
    context.ellipse(radius * 0.1, 0, radius * 0.42, radius * 0.3, 0, 0, 2 * Math.PI)
    context.fillStyle = 'rgb(255 255 255 / 55%)'
    context.fill()
    context.restore()
  }

  #drawName(context, { place, name, isOwn }) {
    if (isOwn) return
    context.font = `${12 / Math.min(1, this.scale)}px system-ui, sans-serif`
    context.textAlign = 'center'
    context.lineWidth = 3
    context.strokeStyle = this.#colors.sea
    context.fillStyle = this.#colors.ink
    const [x, y] = [place.x / POINT, place.y / POINT + SHIP_RADIUS / POINT + 15 / this.scale]
    context.strokeText(name, x, y)
    context.fillText(name, x, y)
  }

  /** The whole arena in a corner. */
  drawMap(canvas, ships) {
    const context = canvas.getContext('2d')
    const middle = canvas.width / 2
    context.clearRect(0, 0, canvas.width, canvas.height)
    context.beginPath()
    context.arc(middle, middle, middle - 2, 0, 2 * Math.PI)
    context.fillStyle = this.#colors.panel
    context.fill()
    context.lineWidth = 2
    context.strokeStyle = this.#colors.wall
    context.stroke()
    for (const { number, place, isOwn } of ships) {
      const [x, y] = [place.x, place.y].map((value) => middle + (value / ARENA_RADIUS) * (middle - 6))
      context.beginPath()
      context.arc(x, y, isOwn ? 5 : 3, 0, 2 * Math.PI)
      context.fillStyle = colorOf(number, this.#isDark)
      context.fill()
      if (!isOwn) continue
      context.lineWidth = 2
      context.strokeStyle = this.#colors.own
      context.stroke()
    }
  }
}
