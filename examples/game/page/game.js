// The game in a page: what the server says comes in by a WebSocket, what is pressed goes out thirty times a second, and
// both meet in a `Follower`, by the very rules that the server runs.
import { Controls } from './controls.js'
import { Follower } from './rules/follower.js'
import { DASH_PERIOD_TICKS, hash, TICKS_PER_SECOND } from './rules/state.js'
import { createState, step } from './rules/simulation.js'
import { colorOf, Scene } from './scene.js'

const TICK_MS = 1000 / TICKS_PER_SECOND
/** A page that stood still for longer lets the time go. */
const MAX_TICKS_AT_ONCE = 5
/** A correction of the own ship is not seen as a jump: it fades. */
const CORRECTION_MS = 90
const MAX_FADED = 200 * 64
const BOARD_MS = 200
const element = (id) => document.getElementById(id)

const scene = new Scene(element('sea'))
const controls = new Controls(element('sea'), element('dash'))
let follower = new Follower()
let socket
let attempts = 0
const offset = { x: 0, y: 0 }
let center = { x: 0, y: 0 }
let lastMs = performance.now()
let untilTickMs = 0
let boardMs = 0

/** For the console, and for tests. */
globalThis.game = {
  get follower() {
    return follower
  },
  get socket() {
    return socket
  },
  rules: { createState, hash, step },
}

function connect(name) {
  const url = new URL('socket', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  url.searchParams.set('name', name)
  socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => {
    attempts = 0
    follower = new Follower()
    tell('connected')
  })
  socket.addEventListener('message', ({ data }) => hear(data))
  socket.addEventListener('close', ({ code, reason }) => {
    if (code === 1003 || code === 1008) return stop(`the server refused this page: ${reason}`)
    attempts += 1
    tell(code === 1013 ? `${reason}: waiting for a place` : 'the connection was lost: trying again')
    // Later each time, at a moment that other pages do not choose too.
    setTimeout(connect, Math.random() * Math.min(15_000, 400 * 2 ** attempts), name)
  })
}

function hear(data) {
  if (typeof data === 'string') {
    follower.own = JSON.parse(data).ship
    return
  }
  const answer = follower.receive(new Uint8Array(data), performance.now())
  if (answer !== undefined) socket.send(answer)
  const { correction } = follower
  if (Math.hypot(correction.x, correction.y) > MAX_FADED) return
  offset.x += correction.x
  offset.y += correction.y
}

const tell = (text) => (element('state').textContent = text)

function stop(why) {
  tell(why)
  element('enter').hidden = false
}

/** As many ticks of the own ship as the time is worth. */
function play(dtMs) {
  if (socket?.readyState !== WebSocket.OPEN) return
  untilTickMs += dtMs
  if (untilTickMs > MAX_TICKS_AT_ONCE * TICK_MS) untilTickMs = MAX_TICKS_AT_ONCE * TICK_MS
  while (untilTickMs >= TICK_MS) {
    untilTickMs -= TICK_MS
    send(controls.steer(scene.width / 2, scene.height / 2))
  }
}

function send(steer) {
  const message = follower.steer(steer)
  if (message !== undefined) socket.send(message)
}

/** Who is shown where. */
function shownShips(nowMs) {
  const { view, predicted, own } = follower
  if (view === undefined) return []
  const others = [...follower.othersAt(nowMs)].map(([number, place]) => ({
    number,
    place,
    ship: view.state.ships[number],
  }))
  const ownShip = predicted?.ships[own]
  const place = follower.ownAt(untilTickMs / TICK_MS)
  if (ownShip !== undefined && place !== undefined) {
    const shown = { ...place, x: place.x + offset.x, y: place.y + offset.y }
    others.push({ number: own, place: shown, ship: ownShip, isOwn: true })
  }
  return others
    .filter(({ ship }) => ship !== undefined)
    .map((shown) => ({ ...shown, name: view.players[shown.number]?.name ?? '' }))
}

function frame(nowMs) {
  const dtMs = Math.min(250, nowMs - lastMs)
  lastMs = nowMs
  play(dtMs)
  const left = Math.exp(-dtMs / CORRECTION_MS)
  offset.x *= left
  offset.y *= left
  const ships = shownShips(nowMs)
  center = ships.find(({ isOwn }) => isOwn)?.place ?? center
  scene.draw(nowMs, dtMs, center, ships, follower.predicted?.pearls ?? [])
  if (nowMs - boardMs > BOARD_MS) {
    boardMs = nowMs
    showBoard(ships)
  }
  requestAnimationFrame(frame)
}

function showBoard(ships) {
  const { view, own, predicted } = follower
  const isIn = view !== undefined && socket?.readyState === WebSocket.OPEN
  for (const id of ['board', 'map', 'dash']) element(id).hidden = !isIn
  if (!isIn) return
  const player = view.players[own]
  element('latency').textContent = player === undefined ? '–' : `${player.latencyMs} ms`
  element('tick').textContent = view.state.tick
  element('players').textContent = view.state.ships.filter((ship) => ship !== undefined).length
  const dash = predicted?.ships[own]?.dash ?? DASH_PERIOD_TICKS
  element('dash').disabled = dash > 0
  const best = view.state.ships
    .flatMap((ship, number) => (ship === undefined ? [] : [{ number, score: ship.score }]))
    .toSorted((one, other) => other.score - one.score || one.number - other.number)
  const shown = best.slice(0, 8)
  const self = best.findIndex(({ number }) => number === own)
  if (self >= 8) shown[7] = best[self]
  element('scores').replaceChildren(...shown.map(({ number, score }) => scoreItem(number, score)))
  scene.drawMap(element('map'), ships)
}

function scoreItem(number, score) {
  const item = document.createElement('li')
  item.className = number === follower.own ? 'own' : ''
  const [dot, name, count] = ['i', 'span', 'b'].map((tag) => document.createElement(tag))
  dot.style.background = colorOf(number, scene.isDark)
  name.className = 'name'
  name.textContent = follower.view.players[number]?.name ?? ''
  count.textContent = score
  item.append(dot, name, count)
  return item
}

element('enter').addEventListener('submit', (event) => {
  event.preventDefault()
  element('enter').hidden = true
  element('name').blur()
  tell('connecting')
  connect(element('name').value)
})
// Nobody looks: the ship does not go on by itself.
document.addEventListener('visibilitychange', () => {
  controls.release()
  if (document.hidden && socket?.readyState === WebSocket.OPEN) send(controls.steer(0, 0))
})
requestAnimationFrame(frame)
