// The chat in a page: by a WebSocket, or by server-sent events where something on the way breaks those. Either way the
// server sends the same events, as JSON, and lines go to it as they are typed.
const element = (id) => document.getElementById(id)
const [log, members, state, line] = ['log', 'members', 'state', 'line'].map(element)
const MAX_LINES = 500

/** Where to go on when the connection was lost. */
let last
let here = new Set()

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

function said({ from, text, own, atMs, position }) {
  const name = document.createElement('b')
  name.textContent = from
  const time = document.createElement('time')
  time.textContent = new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  show(own ? 'own' : 'said', name, ` ${text}`, time)
  last = position
}

const tellers = {
  said,
  entered({ room, members: names, past }) {
    element('room').textContent = room
    if (last === undefined) log.replaceChildren()
    here = new Set(names)
    past.forEach(said)
  },
  joined: ({ name }) => (here.add(name), show('note', `${name} came`)),
  left: ({ name }) => (here.delete(name), show('note', `${name} left`)),
  renamed({ name, to }) {
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

/** A lost connection is made again, later each time, at a moment that other pages do not choose too. */
function bySocket(name) {
  let attempts = 0
  let socket
  const open = () => {
    const query = new URLSearchParams({ name, ...(last === undefined ? {} : { from: last }) })
    socket = new WebSocket(`socket?${query}`.replace(/^/, new URL('.', location.href).href.replace(/^http/, 'ws')))
    socket.addEventListener('open', () => {
      attempts = 0
      state.textContent = 'connected by a WebSocket'
    })
    socket.addEventListener('message', ({ data }) => told(data))
    socket.addEventListener('close', ({ code, reason }) => {
      if (code === 1000 || code === 4000) return leave(reason || 'you have left')
      attempts += 1
      state.textContent = 'the connection was lost: trying again'
      setTimeout(open, Math.random() * Math.min(30_000, 500 * 2 ** attempts))
    })
  }
  open()
  return (text) => socket.send(text)
}

/** Browsers make a stream of events again by themselves, and say which was the last. */
function byEvents(name) {
  let stream
  const source = new EventSource(`events?${new URLSearchParams({ name })}`)
  source.addEventListener('stream', ({ data }) => {
    stream = data
    state.textContent = 'connected by server-sent events'
  })
  source.addEventListener('message', ({ data }) => told(data))
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) leave('the name is taken, or the server is gone')
    else state.textContent = 'the connection was lost: trying again'
  })
  return (text) => void fetch(`say?${new URLSearchParams({ stream })}`, { method: 'POST', body: text })
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
  const name = element('name').value
  send = element('way').value === 'events' ? byEvents(name) : bySocket(name)
  line.focus()
})
element('say').addEventListener('submit', (event) => {
  event.preventDefault()
  if (line.value !== '') send(line.value)
  line.value = ''
})
