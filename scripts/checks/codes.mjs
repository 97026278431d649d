// Every error code is used, and the generated documents are what the code says now.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { generatedDocuments, undocumentedOptions } from '../generate-docs.mjs'
import { filesIn, textOf } from './_tree.mjs'

const TABLE = 'src/base/codes.ts'

export async function check(root) {
  const sources = filesIn(root, 'src', ['.ts'])
  const findings = [...checkUse(root, sources)]
  for (const { path, text, codes } of await generatedDocuments(root)) {
    const now = existsSync(join(root, path)) ? textOf(root, path) : ''
    if (codes !== undefined) findings.push(...checkCodes(path, now, codes))
    if (now !== text) findings.push(`${path}: not what the code says now; run node scripts/generate-docs.mjs`)
  }
  findings.push(...(await undocumentedOptions(root, sources)))
  return { read: sources.length, onDisk: sources.length, findings }
}

function* checkUse(root, sources) {
  const elsewhere = sources.filter((path) => path !== TABLE).map((path) => textOf(root, path))
  const table = [...textOf(root, TABLE).matchAll(/^ {2}(ERR_[A-Z_0-9]+): entry/gm)].map(([, code]) => code)
  if (table.length === 0) yield `${TABLE}: no code was found in it`
  for (const code of table) {
    if (!elsewhere.some((text) => text.includes(`'${code}'`))) yield `${TABLE}: ${code} is used nowhere`
  }
}

function* checkCodes(path, now, codes) {
  const documented = new Set([...now.matchAll(/^\| `(ERR_[A-Z_0-9]+)`/gm)].map(([, code]) => code))
  for (const code of codes) if (!documented.has(code)) yield `${path}: ${code} is not documented`
  for (const code of documented) if (!codes.includes(code)) yield `${path}: ${code} does not exist`
}
