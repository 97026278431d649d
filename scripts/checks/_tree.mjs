// What is on disk, found by walking and by nothing else: every check is held to these lists.
import { stripVTControlCharacters } from 'node:util'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const SKIPPED = new Set(['node_modules', 'dist', '.build', '.git'])

/** The paths of all files of the project with one of the endings, relative to `root`, in order. */
export function filesIn(root, folder, endings) {
  const found = []
  const walk = (inner) => {
    for (const entry of readdirSync(join(root, inner), { withFileTypes: true })) {
      const path = inner === '' ? entry.name : `${inner}/${entry.name}`
      if (SKIPPED.has(entry.name) || path === 'native/build') continue
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) found.push(path)
    }
  }
  if (folder === '' || existsFolder(root, folder)) walk(folder)
  return found.sort()
}

function existsFolder(root, folder) {
  return readdirSync(root, { withFileTypes: true }).some((entry) => entry.isDirectory() && entry.name === folder)
}

export const textOf = (root, path) => readFileSync(join(root, path), 'utf8')

/** Runs a program of a package with the running Node. Gives its exit code and all it printed. */
export function runTool(root, script, args) {
  return runScript(root, join(root, 'node_modules', script), args)
}

export function runScript(cwd, script, args = [], { timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd,
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (signal !== null) output += `\n${script}: ended by ${signal}${timeoutMs ? `, at most ${timeoutMs} ms` : ''}`
      // Some tools colour their words wherever CI is set.
      resolve({ status, output: stripVTControlCharacters(output) })
    })
  })
}

/** What a program printed, as findings: its lines that say something. */
export function linesOf(output) {
  return output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
}
