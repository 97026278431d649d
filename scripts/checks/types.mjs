// tsc for the package, for the engines without Node's types and without DOM, and for tests, examples and benchmarks.
import { filesIn, linesOf, runTool } from './_tree.mjs'

const PROJECTS = [
  { project: 'src', folders: ['src'] },
  { project: 'src/engine', folders: ['src/engine'] },
  { project: '.', folders: ['test', 'examples', 'bench', 'conformance', 'torture', 'docs/from-python'] },
]

export async function check(root) {
  const findings = []
  let read = 0
  let onDisk = 0
  const results = await Promise.all(
    PROJECTS.map(({ project }) =>
      runTool(root, 'typescript/bin/tsc', ['-p', project, '--noEmit', '--listFiles', '--pretty', 'false']),
    ),
  )
  for (const [i, { folders }] of PROJECTS.entries()) {
    const wanted = folders.flatMap((folder) => filesIn(root, folder, ['.ts']))
    const lines = linesOf(results[i].output)
    onDisk += wanted.length
    read += wanted.filter((path) => lines.some((line) => line.endsWith(`/${path}`))).length
    if (results[i].status !== 0) findings.push(...lines.filter((line) => /error TS|^\s/.test(line)))
    if (results[i].status !== 0 && findings.length === 0) findings.push(...lines)
  }
  return { read, onDisk, findings: [...new Set(findings)] }
}
