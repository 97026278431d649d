// Remote control in a page: the token goes in the first message and is kept in this variable only, commands go one after
// the other, and stopping one is closing the WebSocket, which ends the program.
import { readable } from './readable.js'

const REFUSED = 1008
const MAX_RUNS = 50
const MAX_PIECES = 2000
const element = (id) => document.getElementById(id)
const tell = (text) => (element('state').textContent = text)

let token = ''
let socket
let attempts = 0
/** What runs now: the parts of the page that show it. */
let run

function connect() {
  const url = new URL('socket', location.href)
  url.protocol = 'wss:'
  tell('connecting')
  const opened = new WebSocket(url)
  socket = opened
  opened.addEventListener('open', () => opened.send(JSON.stringify(token === '' ? {} : { token })))
  opened.addEventListener('message', ({ data }) => socket === opened && hear(JSON.parse(data)))
  opened.addEventListener('close', ({ code }) => {
    if (socket !== opened) return
    finish('failed', 'the connection was lost')
    allow(false)
    if (code === REFUSED) return leave()
    attempts += 1
    tell('the connection was lost: trying again')
    // Later each time, at a moment that other pages do not choose too.
    setTimeout(() => socket === opened && connect(), Math.random() * Math.min(30_000, 500 * 2 ** attempts))
  })
}

function hear(answer) {
  if (answer.commands !== undefined) {
    attempts = 0
    showCommands(answer.commands)
    tell('connected')
    allow(true)
  } else if (answer.stream !== undefined) write(answer.stream, answer.data)
  else if (answer.error !== undefined) {
    if (run === undefined) tell(answer.error)
    else finish('failed', answer.error)
  } else if (answer.exit === null) finish('failed', `ended by ${answer.signal}`)
  else finish(answer.exit === 0 ? 'good' : 'failed', `exit code ${answer.exit}`)
}

/** The server does not know this token. What it said of it stays. */
function leave() {
  token = ''
  socket = undefined
  document.querySelector('main').hidden = true
  element('enter').hidden = false
  element('token').focus()
}

// ---- commands

function showCommands(commands) {
  element('enter').hidden = true
  document.querySelector('main').hidden = false
  if (element('commands').children.length > 0) return
  element('commands').replaceChildren(...commands.map(commandForm))
}

function commandForm({ name, parameters }) {
  const form = document.createElement('form')
  form.className = 'command'
  form.dataset.command = name
  const title = document.createElement('b')
  title.textContent = name
  const inputs = parameters.map((pattern, index) => {
    const input = document.createElement('input')
    input.pattern = pattern
    input.placeholder = pattern
    input.title = `Has to match ${pattern}`
    input.spellcheck = false
    input.autocapitalize = 'off'
    input.setAttribute('aria-label', `${name}, parameter ${index + 1}`)
    return input
  })
  const button = document.createElement('button')
  button.textContent = 'Run'
  form.append(title, ...inputs, button)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const values = inputs.map((input) => input.value)
    // Those at the end may be left out.
    while (values.at(-1) === '') values.pop()
    start(name, values)
  })
  return form
}

/** Commands are taken while none runs. */
function allow(isOn) {
  for (const button of document.querySelectorAll('.command button')) button.disabled = !isOn
}

// ---- runs

function start(command, args) {
  if (run !== undefined || socket?.readyState !== WebSocket.OPEN) return
  const [article, head, title, time, status, output] = ['article', 'header', 'code', 'time', 'span', 'pre'].map((tag) =>
    document.createElement(tag),
  )
  article.className = 'running'
  title.textContent = readable([command, ...args].join(' '))
  time.textContent = new Date().toLocaleTimeString()
  status.className = 'status'
  status.textContent = 'running'
  head.append(title, time, status)
  article.append(head, output)
  element('runs').append(article)
  while (element('runs').children.length > MAX_RUNS) element('runs').firstChild.remove()
  run = { article, status, output, decoders: { stdout: new TextDecoder(), stderr: new TextDecoder() } }
  allow(false)
  element('stop').disabled = false
  socket.send(JSON.stringify({ command, args }))
  scroll(true)
  // On a telephone the output stands below the commands.
  article.scrollIntoView({ block: 'nearest' })
}

function write(stream, data) {
  if (run === undefined) return
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
  const text = readable(run.decoders[stream].decode(bytes, { stream: true }))
  const isAtEnd = scrollsAlong()
  const last = run.output.lastChild
  if (last?.className === stream && last.textContent.length < 4096) last.append(text)
  else {
    const piece = document.createElement('span')
    piece.className = stream
    piece.textContent = text
    run.output.append(piece)
    while (run.output.children.length > MAX_PIECES) run.output.firstChild.remove()
  }
  scroll(isAtEnd)
}

function finish(className, text) {
  if (run === undefined) return
  const isAtEnd = scrollsAlong()
  run.article.className = className
  run.status.textContent = text
  run = undefined
  element('stop').disabled = true
  allow(true)
  scroll(isAtEnd)
}

const scrollsAlong = () => {
  const { scrollHeight, scrollTop, clientHeight } = element('runs')
  return scrollHeight - scrollTop - clientHeight < 40
}

function scroll(isWanted) {
  if (isWanted) element('runs').scrollTop = element('runs').scrollHeight
}

// ---- buttons

element('enter').addEventListener('submit', (event) => {
  event.preventDefault()
  token = element('token').value
  element('token').value = ''
  connect()
})
element('stop').addEventListener('click', () => {
  const stopped = socket
  finish('failed', 'stopped')
  allow(false)
  connect()
  stopped.close()
})
element('clear').addEventListener('click', () => {
  for (const article of [...element('runs').children]) if (article !== run?.article) article.remove()
})
