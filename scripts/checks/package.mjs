// The packed tarball: everything in it that belongs in it, its entries right (publint), its types found (attw).
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { relativeLinks } from './links.mjs'
import { filesIn, linesOf, runTool, textOf } from './_tree.mjs'

export function pack(root, folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const args = ['pack', '--ignore-scripts', '--json', '--loglevel=error', '--pack-destination', folder]
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`)
  const [{ files }] = JSON.parse(stdout)
  const name = readdirSync(folder).find((entry) => entry.endsWith('.tgz'))
  return { tarball: join(folder, name), files: files.map(({ path }) => path) }
}

export async function check(root) {
  const { tarball, files } = pack(root, join(root, '.build/package'))
  const compiled = filesIn(root, 'src', ['.ts']).map((path) => path.replace(/^src/, 'dist').replace(/\.ts$/, '.js'))
  const findings = compiled.filter((path) => !files.includes(path)).map((path) => `${path}: not in the tarball`)
  for (const path of files.filter((path) => path.startsWith('dist/') && path.endsWith('.js'))) {
    if (!compiled.includes(path))
      findings.push(`${path}: in the tarball, and compiled from nothing; remove dist and build`)
  }
  findings.push(...missingEntries(JSON.parse(textOf(root, 'package.json')), files))
  findings.push(...linksLeftBehind(root, files))
  findings.push(...undocumentedDependencies(root))
  const [lint, types] = await Promise.all([
    runTool(root, 'publint/src/cli.js', ['run', tarball, '--strict']),
    runTool(root, '@arethetypeswrong/cli/dist/index.js', [
      tarball,
      '--profile',
      'esm-only',
      '--no-definitely-typed',
      '--no-emoji',
      '-f',
      'ascii',
    ]),
  ])
  if (lint.status !== 0) findings.push(...tell('publint', lint.output, lintFindings(lint.output)))
  if (types.status !== 0) findings.push(...tell('attw', types.output, typesFindings(types.output)))
  return { read: files.filter((path) => compiled.includes(path)).length, onDisk: compiled.length, findings }
}

function missingEntries({ exports: entries, bin }, files) {
  const targets = [...Object.values(entries), ...Object.values(bin)].flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  )
  return targets
    .map((target) => target.replace(/^\.\//, ''))
    .filter((target) => !files.includes(target))
    .map((target) => `package.json: ${target} is an entry, and not in the tarball`)
}

/** The pages of the tarball are read where it is unpacked: without pictures, whose words for those who see none stand there. */
function linksLeftBehind(root, files) {
  return files
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => relativeLinks(root, path).map((link) => ({ path, ...link })))
    .filter(
      ({ target }) =>
        !target.endsWith('.png') && !files.some((file) => file === target || file.startsWith(`${target}/`)),
    )
    .map(({ path, line, text }) => `${path}:${line}: the link ${text} leads to what is not in the tarball`)
}

function undocumentedDependencies(root) {
  const {
    dependencies = {},
    optionalDependencies = {},
    devDependencies = {},
  } = JSON.parse(textOf(root, 'package.json'))
  const reasons = textOf(root, 'docs/DEPENDENCIES.md')
  return Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })
    .filter((name) => !reasons.includes(`\`${name}\``))
    .map((name) => `docs/DEPENDENCIES.md: ${name} has no reason there`)
}

/** What a tool found; all it printed, when it failed without a finding. */
function tell(tool, output, found) {
  return (found.length > 0 ? found : linesOf(output)).map((line) => `${tool}: ${line}`)
}

/** publint numbers its findings. */
function lintFindings(output) {
  return linesOf(output).filter((line) => /^\d+\. /.test(line))
}

/** attw has a paragraph for each entry, with a line for each way to resolve it. */
function typesFindings(output) {
  let entry = ''
  return linesOf(output).flatMap((line) => {
    if (line.startsWith(`"moorage`)) entry = line
    const wrong = /^(node16|bundler)/.test(line) && !/: (OK|\(ignored\))/.test(line)
    return wrong ? [`${entry} ${line}`] : []
  })
}
