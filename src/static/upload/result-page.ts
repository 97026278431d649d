import { html, type HttpResponse, type ResponseInit } from '../../http/response.js'
import { escapeHtml, formatSize, pageHead } from '../listing-page.js'
import type { UploadResult } from './form.js'

const RESULT_FIELDS = {
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
}

/** What became of each file, for a browser without script. */
export function resultPage(results: readonly UploadResult[], init: Pick<ResponseInit, 'status'>): HttpResponse {
  const rows = results.map(
    ({ name, status, size, message }) =>
      `<li><strong>${status < 400 ? 'Received' : 'Not received'}</strong> ${escapeHtml(name)}${size === undefined ? '' : ` (${formatSize(size)})`}${message === undefined ? '' : `: ${escapeHtml(message)}`}</li>\n`,
  )
  const body = `${pageHead('Uploaded files')}<h1>Uploaded files</h1>\n<ul>\n${rows.join('')}</ul>\n<p><a href="./">Back to the folder</a></p>\n</main>\n</body>\n</html>\n`
  return html(body, {
    ...init,
    headers: { ...RESULT_FIELDS, 'Cache-Control': 'no-store', Vary: 'Accept' },
  })
}
