// The programs of docs/from-python/ stand in docs/from-python.md between `<!-- pair: name -->` and `<!-- end -->`, put
// there by scripts/generate-docs.mjs: the files are what is tested, and the document is what is read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const PAIRS_DOCUMENT = 'docs/from-python.md'
const PAIR = /<!-- pair: ([a-z-]+) -->\n[^]*?<!-- end -->/g

/** Reads the document as it is written now, and gives it with the programs as they are now. */
export function pairsDocument(root) {
  const program = (name, ending) => readFileSync(join(root, 'docs/from-python', `${name}.${ending}`), 'utf8').trimEnd()
  const fence = (language, code) => `\`\`\`${language}\n${code}\n\`\`\``
  const text = readFileSync(join(root, PAIRS_DOCUMENT), 'utf8').replaceAll(PAIR, (_whole, name) =>
    [
      `<!-- pair: ${name} -->`,
      fence('python', program(name, 'py')),
      fence('ts', program(name, 'ts')),
      '<!-- end -->',
    ].join('\n\n'),
  )
  return { path: PAIRS_DOCUMENT, text }
}
