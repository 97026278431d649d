import { createHash } from 'node:crypto'

/**
 * What the page does where script runs: each file is sent as an upload that goes on after an interruption, also after
 * the page was closed, with its progress and a button to cancel it. Without script the form does as forms do.
 */
export const UPLOAD_SCRIPT = `(() => {
const form = document.querySelector('#upload')
const input = form.querySelector('input')
const list = document.querySelector('#uploads')
const MAX_TRIES = 30
const encode = (text) => encodeURIComponent(text).replace(/['()*]/g, (c) => '%' + c.charCodeAt(0).toString(16))
const keyOf = (file) => ['moorage upload', location.pathname, file.name, file.size, file.lastModified].join(' ')
const remember = (key, address) => {
  try {
    if (address === null) localStorage.removeItem(key); else localStorage.setItem(key, address)
  } catch {
    // A browser that keeps nothing begins anew when the page is opened again.
    return
  }
}
const recall = (key) => {
  try { return localStorage.getItem(key) } catch { return null }
}
const add = (parent, tag, text) => {
  const element = parent.appendChild(document.createElement(tag))
  element.textContent = text
  return element
}
function makeRow(file) {
  const item = add(list, 'li', '')
  add(item, 'span', file.name)
  const bar = add(item, 'progress', '')
  bar.max = 100
  bar.value = 0
  bar.setAttribute('aria-label', file.name)
  const words = add(item, 'output', 'waiting')
  const cancel = add(item, 'button', 'Cancel')
  cancel.type = 'button'
  cancel.setAttribute('aria-label', 'Cancel ' + file.name)
  const row = { file, tries: 0, isCancelled: false, request: undefined, wake: () => undefined }
  cancel.onclick = () => {
    row.isCancelled = true
    row.request?.abort()
    row.wake()
  }
  row.show = (bytes) => {
    bar.value = file.size === 0 ? 100 : (100 * bytes) / file.size
    words.textContent = Math.floor(bar.value) + ' %'
  }
  row.end = (text) => {
    words.textContent = text
    cancel.remove()
    return text === 'received'
  }
  return row
}
const ask = (row, method, address, fields, body, sent) => new Promise((resolve) => {
  const request = (row.request = new XMLHttpRequest())
  request.open(method, address)
  for (const name in fields) request.setRequestHeader(name, fields[name])
  if (sent !== undefined) request.upload.onprogress = (event) => sent(event.loaded)
  request.onloadend = () => resolve(request)
  request.send(body)
})
const mayPass = ({ status }) => status === 0 || status === 409 || status === 408 || status === 429 || (status > 500 && status !== 507)
const reasonOf = ({ status, responseText }) => 'not received: ' + (responseText.trim().slice(0, 200) || status || 'no connection')
async function again(row) {
  row.tries += 1
  const ms = Math.min(15000, 250 * 2 ** row.tries)
  await new Promise((resolve) => { row.wake = resolve; setTimeout(resolve, ms) })
  return row.tries <= MAX_TRIES
}
async function send(row) {
  const { file } = row
  const key = keyOf(file)
  let address = recall(key)
  let offset = address === null ? 0 : undefined
  while (!row.isCancelled) {
    let answer
    if (address === null) {
      answer = await ask(row, 'POST', './', {
        'Upload-Complete': '?0',
        'Upload-Length': String(file.size),
        'Content-Disposition': "inline; filename*=UTF-8''" + encode(file.name),
      }, null)
      if (answer.status === 201) {
        address = answer.getResponseHeader('Location')
        offset = 0
        remember(key, address)
        continue
      }
      if (answer.status === 409) return row.end(reasonOf(answer))
    } else if (offset === undefined) {
      answer = await ask(row, 'HEAD', address, {}, null)
      if (answer.status === 204) {
        if (answer.getResponseHeader('Upload-Complete') === '?1') {
          remember(key, null)
          return row.end('received')
        }
        offset = Number(answer.getResponseHeader('Upload-Offset'))
        continue
      }
      if (answer.status === 404) {
        address = null
        remember(key, null)
        continue
      }
    } else {
      const from = offset
      answer = await ask(row, 'PATCH', address, {
        'Upload-Complete': '?1',
        'Upload-Offset': String(from),
        'Content-Type': 'application/partial-upload',
      }, file.slice(from), (bytes) => {
        row.show(from + bytes)
        row.tries = 0
      })
      if (answer.status >= 200 && answer.status < 300) {
        remember(key, null)
        row.show(file.size)
        return row.end('received')
      }
      if (answer.getResponseHeader('Upload-Complete') === '?1') {
        remember(key, null)
        return row.end(reasonOf(answer))
      }
      offset = undefined
    }
    if (row.isCancelled) break
    if (!mayPass(answer) || !(await again(row))) return row.end(reasonOf(answer))
  }
  if (address !== null) await ask(row, 'DELETE', address, {}, null)
  remember(key, null)
  return row.end('cancelled')
}
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const rows = [...input.files].map(makeRow)
  form.reset()
  let isWhole = rows.length > 0
  for (const row of rows) isWhole = (await send(row)) && isWhole
  if (isWhole) location.reload()
})
})()`

/** What a policy has to allow, and nothing more: this very script, and requests to where it is from. */
export const UPLOAD_POLICY: string = `script-src 'sha256-${createHash('sha256').update(UPLOAD_SCRIPT).digest('base64')}'; connect-src 'self'`

/** The form and what it needs, for the page of a folder. */
export const UPLOAD_FORM: string = `<form id="upload" method="post" action="./" enctype="multipart/form-data"><input type="file" name="files" multiple required aria-label="Files to send"><button>Upload</button></form>
<ul id="uploads" aria-label="Uploads"></ul>
<script>${UPLOAD_SCRIPT}</script>
`
