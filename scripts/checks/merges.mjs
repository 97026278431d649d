// No text of the project has the marks that an unfinished merge leaves behind.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesIn } from './_tree.mjs'

/** `<<<<<<< ours`, `||||||| base`, `=======` and `>>>>>>> theirs`, each at the beginning of its line. */
const MARK = /^(?:[<|>]{7}(?: .*)?|={7})\r?$/

export async function check(root) {
  const onDisk = filesIn(root, '', [''])
  const findings = []
  let read = 0
  for (const path of onDisk) {
    const bytes = readFileSync(join(root, path))
    read += 1
    // What has a NUL in it is a picture, or the like.
    if (bytes.includes(0)) continue
    for (const [i, line] of bytes.toString('utf8').split('\n').entries())
      if (MARK.test(line)) findings.push(`${path}:${i + 1}: the mark of a merge: ${line.trim()}`)
  }
  return { read, onDisk: onDisk.length, findings }
}
