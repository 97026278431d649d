// Every relative link in the documents leads to a file that is there, and to a heading of it where it names one; and
// what is packed links to nothing that stays behind.
import { existsSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { filesIn, textOf } from './_tree.mjs'

const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md']

export async function check(root) {
  const onDisk = [...PAGES, ...filesIn(root, 'docs', ['.md'])]
  const findings = []
  let read = 0
  for (const path of onDisk) {
    if (!existsSync(join(root, path))) continue
    read += 1
    for (const link of relativeLinks(root, path)) {
      const problem = problemOf(root, link)
      if (problem !== undefined) findings.push(`${path}:${link.line}: the link ${link.text} leads nowhere: ${problem}`)
    }
  }
  return { read, onDisk: onDisk.length, findings }
}

function problemOf(root, { target, anchor }) {
  const path = join(root, target)
  if (target.startsWith('..')) return 'it leaves the project'
  if (!existsSync(path)) return 'there is no such file'
  if (anchor === '') return undefined
  if (!target.endsWith('.md') || !statSync(path).isFile()) return 'only a page has headings'
  return headingsOf(textOf(root, target)).has(anchor) ? undefined : `${target} has no such heading`
}

const INLINE = /!?\[(?:[^\][]|\[[^\]]*\])*\]\(\s*<?([^\s()<>]*)>?(?:\s+"[^"]*")?\s*\)/g
const PICTURE = /\b(?:src|srcset)="([^"\s]+)"/g
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s*<?([^\s<>]+)>?/g

/** The links and pictures of a page that are files of the project, with the line each stands in; what is code is none. */
export function relativeLinks(root, path) {
  const links = []
  for (const [i, line] of proseOf(textOf(root, path)).entries()) {
    const plain = line.replaceAll(/(`+).*?\1/g, (code) => ' '.repeat(code.length))
    // The words of a link may be code: only its address is looked for beside code.
    const found = [...line.matchAll(INLINE), ...line.matchAll(DEFINITION), ...line.matchAll(PICTURE)].filter(
      ({ index, 0: whole }) => plain.slice(index, index + whole.length).trim() !== '',
    )
    for (const [, text] of found) {
      if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(text)) continue
      const [file = '', anchor = ''] = text.split('#')
      const target = file === '' ? path : posix.join(posix.dirname(path), decodeURI(file))
      links.push({ text, target, anchor: decodeURI(anchor), line: i + 1 })
    }
  }
  return links
}

/** The lines of a page, with those in fences and those that an indent makes code left empty. */
function proseOf(text) {
  let fence
  let wasBlank = true
  return text.split('\n').map((line) => {
    const [, mark] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? []
    const isFence = mark !== undefined && (fence === undefined || mark.startsWith(fence))
    if (isFence) fence = fence === undefined ? mark : undefined
    const isCode = isFence || fence !== undefined || (wasBlank && /^( {4}|\t)/.test(line))
    wasBlank = line.trim() === '' || (wasBlank && isCode)
    return isCode ? '' : line
  })
}

/** The anchors that headings get where pages are shown: small letters, hyphens for spaces, and a number for each repeat. */
function headingsOf(text) {
  const anchors = new Set()
  const counts = new Map()
  for (const line of proseOf(text)) {
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id)
    const [, heading] = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line) ?? []
    if (heading === undefined) continue
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = words.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-')
    const count = counts.get(slug) ?? 0
    counts.set(slug, count + 1)
    anchors.add(count === 0 ? slug : `${slug}-${count}`)
  }
  return anchors
}
