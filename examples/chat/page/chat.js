// The chat in a page: by a WebSocket, or by server-sent events where something on the way breaks those. Either way the
// server sends the same events, as JSON, and lines go to it as they are typed.
const element = (id) => document.getElementById(id)
const [log, members, state, line] = ['log', 'members', 'state', 'line'].map(element)
const MAX_LINES = 500

/** Who and where we are, to go on there when the connection was lost; `last` is what was heard last in that room. */
let me = {}
let here = new Set()

/** A secret of this page, also when it is loaded anew: with it we take our name over from a connection that is lost. */
const session = sessionStorage.getItem('session') ?? newSecret()
sessionStorage.setItem('session', session)

function newSecret() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function show(className, ...parts) {
  const item = document.createElement('li')
  item.className = className
  item.append(...parts)
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40
  log.append(item)
  while (log.children.length > MAX_LINES) log.firstChild.remove()
  if (isAtEnd) log.scrollTop = log.scrollHeight
}

function showMembers() {
  members.replaceChildren(
    ...[...here].toSorted().map((name) => {
      const item = document.createElement('li')
      item.textContent = name
      return item
    }),
  )
}

/** Whether a position is behind another of the same room: `epoch:offset`. */
function isBehind(position, other) {
  const [[epoch, offset], [otherEpoch, otherOffset]] = [position, other ?? ''].map((text) => text.split(':'))
  return epoch !== otherEpoch || Number(offset) > Number(otherOffset)
}

function said({ from, text, own, atMs, position }) {
  if (!isBehind(position, me.last)) return
  const name = document.createElement('b')
  name.textContent = from
  const time = document.createElement('time')
  time.textContent = new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  show(own ? 'own' : 'said', name, ` ${text}`, time)
  me.last = position
}

const tellers = {
  said,
  entered({ room, name, members: names, past, position }) {
    element('room').textContent = room
    // Another room has other lines; in the same one we go on behind those that we have.
    if (room !== me.room) log.replaceChildren()
    me = { name, room, last: room === me.room ? me.last : undefined }
    here = new Set(names)
    past.forEach(said)
    me.last = position
  },
  joined: ({ name }) => (here.add(name), show('note', `${name} came`)),
  left: ({ name }) => (here.delete(name), show('note', `${name} left`)),
  renamed({ name, to }) {
    if (name === me.name) me.name = to
    here.delete(name)
    here.add(to)
    show('note', `${name} is now ${to}`)
  },
  members: ({ members: names }) => ((here = new Set(names)), show('note', `here: ${names.join(', ')}`)),
  rooms: ({ rooms }) => show('note', `rooms: ${rooms.join(', ')}`),
  gap: ({ missed }) => show('note', `${missed ?? 'some'} lines are lost`),
  refused: ({ why }) => show('note', why),
  help: ({ commands }) => show('note', `commands: ${commands.join(', ')}`),
}

function told(text) {
  const event = JSON.parse(text)
  tellers[event.type]?.(event)
  showMembers()
}

/** Asks to enter, or to go on where we were. */
function query() {
  const { name, room, last } = me
  const where = room === undefined ? {} : { room, from: last }
  return new URLSearchParams({ name, session, ...where })
}

/** Does it again, later each time, at a moment that other pages do not choose too. */
function again(attempts, open) {
  state.textContent = 'the connection was lost: trying again'
  setTimeout(() => open(), Math.random() * Math.min(30_000, 500 * 2 ** attempts))
}

const notSent = (text) => show('note', `not sent: ${text}`)

function bySocket() {
  let attempts = 0
  let socket
  const open = () => {
    socket = new WebSocket(`${new URL('socket', location.href).href.replace(/^http/, 'ws')}?${query()}`)
    socket.addEventListener('open', () => (state.textContent = 'connected by a WebSocket'))
    socket.addEventListener('message', ({ data }) => {
      attempts = 0
      told(data)
    })
    socket.addEventListener('close', ({ code, reason }) => {
      if (code === 1000 || code === 4000 || code === 4001) leave(reason || 'you have left')
      else again((attempts += 1), open)
    })
  }
  open()
  return (text) => (socket.readyState === WebSocket.OPEN ? socket.send(text) : notSent(text))
}

/** A browser would make the stream again by itself, but as who and where we were at first. */
function byEvents() {
  let attempts = 0
  let stream
  const open = () => {
    const source = new EventSource(`events?${query()}`)
    source.addEventListener('stream', ({ data }) => {
      stream = data
      state.textContent = 'connected by server-sent events'
    })
    source.addEventListener('message', ({ data }) => {
      attempts = 0
      told(data)
    })
    source.addEventListener('over', ({ data }) => {
      source.close()
      leave(data)
    })
    source.addEventListener('error', () => {
      source.close()
      stream = undefined
      again((attempts += 1), open)
    })
  }
  open()
  return async (text) => {
    try {
      const sent = await fetch(`say?${new URLSearchParams({ stream })}`, { method: 'POST', body: text })
      if (!sent.ok) notSent(text)
    } catch {
      notSent(text)
    }
  }
}

function leave(why) {
  state.textContent = why
  element('chat').hidden = true
  element('enter').hidden = false
}

let send
element('enter').addEventListener('submit', (event) => {
  event.preventDefault()
  element('enter').hidden = true
  element('chat').hidden = false
  me = { name: element('name').value }
  send = element('way').value === 'events' ? byEvents() : bySocket()
  line.focus()
})
element('say').addEventListener('submit', (event) => {
  event.preventDefault()
  if (line.value !== '') send(line.value)
  line.value = ''
})
