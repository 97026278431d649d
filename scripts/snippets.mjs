// The TypeScript in README.md, docs/ and the other documents: taken out, checked by tsc, and, where it is marked
// "ts run", run. `node scripts/snippets.mjs --run` does both; `npm run check` the first.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesIn, linesOf, runScript, runTool, textOf } from './checks/_tree.mjs'

const FENCE = /^```(\S+)?(.*)$/
const TSCONFIG = {
  extends: '../../tsconfig.base.json',
  compilerOptions: {
    rootDir: '.',
    outDir: 'out',
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ['*.ts'],
}

/** Every fenced block of TypeScript, with the document and the line it stands on. */
export function findSnippets(root) {
  const documents = filesIn(root, '', ['.md'])
  return { documents, snippets: documents.flatMap((document) => snippetsOf(document, textOf(root, document))) }
}

function snippetsOf(document, text) {
  const found = []
  let open
  for (const [i, line] of text.split('\n').entries()) {
    const fence = FENCE.exec(line)
    if (open === undefined) {
      if (fence) open = { language: fence[1] ?? '', marks: fence[2].trim().split(/\s+/), line: i + 1, code: [] }
    } else if (fence && line.trim() === '```') {
      const { language, marks, line: at, code } = open
      if (language === 'ts') found.push({ document, line: at, runs: marks.includes('run'), code: code.join('\n') })
      open = undefined
    } else {
      open.code.push(line)
    }
  }
  return found
}

/** Writes each snippet to a file of its own, on the line that it has in its document, and compiles them all. */
export async function compileSnippets(root, folder = '.build/snippets') {
  const { documents, snippets } = findSnippets(root)
  rmSync(join(root, folder), { recursive: true, force: true })
  mkdirSync(join(root, folder), { recursive: true })
  const named = snippets.map((snippet) => {
    const name = `${snippet.document.replaceAll('/', '__').replace(/\.md$/, '')}.${snippet.line}`
    writeFileSync(join(root, folder, `${name}.ts`), `${'\n'.repeat(snippet.line)}${snippet.code}\nexport {}\n`)
    return { ...snippet, name, script: join(root, folder, 'out', `${name}.js`) }
  })
  writeFileSync(join(root, folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  if (named.length === 0) return { documents, snippets: named, compiled: 0, findings: [] }
  const { status, output } = await runTool(root, 'typescript/bin/tsc', [
    '-p',
    folder,
    '--listFiles',
    '--pretty',
    'false',
  ])
  const lines = linesOf(output)
  const compiled = named.filter(({ name }) => lines.some((line) => line.endsWith(`/${folder}/${name}.ts`))).length
  const errors = lines.filter((line) => /error TS|^\s/.test(line))
  const findings = status === 0 ? [] : (errors.length > 0 ? errors : lines).map((line) => inDocument(line, named))
  return { documents, snippets: named, compiled, findings }
}

/** The place of a compiler error as the reader of the document sees it. */
function inDocument(line, snippets) {
  const [, name, at, what] = /([^/]+)\.ts\((\d+),\d+\): (.*)/.exec(line) ?? []
  const snippet = snippets.find((candidate) => candidate.name === name)
  return snippet === undefined ? line : `${snippet.document}:${at}: ${what}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { root } = await import('./setup.mjs')
  const { snippets, findings } = await compileSnippets(root, '.build/run-snippets')
  let failed = findings.length
  for (const finding of findings) console.error(finding)
  for (const { document, line, script, runs } of snippets) {
    if (!runs || findings.length > 0 || !process.argv.includes('--run')) continue
    const { status, output } = await runScript(root, script, [], { timeoutMs: 20_000 })
    console.log(`${status === 0 ? 'ok  ' : 'fail'}  ${document}:${line}`)
    if (status === 0) continue
    console.error(output)
    failed += 1
  }
  process.exit(failed === 0 ? 0 : 1)
}
