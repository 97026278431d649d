// oxlint with .oxlintrc.json, types included (lost promises cannot be seen without).
import { filesIn, linesOf, runTool } from './_tree.mjs'

export async function check(root) {
  const onDisk = filesIn(root, '', ['.ts', '.mjs', '.js'])
  const findings = []
  const plain = await runTool(root, 'oxlint/bin/oxlint', ['--type-aware', '-f', 'unix'])
  if (plain.status !== 0) findings.push(...linesOf(plain.output).filter((line) => !/^\d+ problems?$/.test(line)))
  const { output } = await runTool(root, 'oxlint/bin/oxlint', ['--debug', 'files'])
  const read = linesOf(output).filter((line) => /\.(ts|mjs|js)$/.test(line)).length
  return { read, onDisk: onDisk.length, findings }
}
