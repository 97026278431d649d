// oxfmt has nothing to change.
import { filesIn, linesOf, runTool } from './_tree.mjs'

export async function check(root) {
  const onDisk = filesIn(root, '', ['.ts', '.mjs', '.js', '.json', '.md']).filter(
    (path) => path !== 'package-lock.json',
  )
  const { status, output } = await runTool(root, 'oxfmt/bin/oxfmt', ['--check', ...onDisk])
  const read = Number(/ on (\d+) files/.exec(output)?.[1] ?? 0)
  const findings = linesOf(output)
    .filter((line) => / \(\d+ms\)$/.test(line))
    .map((line) => `${line.replace(/ \(\d+ms\)$/, '')}: not formatted; run npm run format`)
  if (status !== 0 && findings.length === 0) findings.push(...linesOf(output))
  return { read, onDisk: onDisk.length, findings }
}
