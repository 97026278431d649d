// The rules of floors.json, and the others about single files that no linter has.
import { existsSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { filesIn, textOf } from './_tree.mjs'
import { readSource } from './_source.mjs'

const ROOT_DOOR = 'src/index.ts'

export async function check(root) {
  const rules = JSON.parse(textOf(root, 'scripts/floors.json'))
  const findings = [...checkRules(root, rules)]
  const onDisk = filesIn(root, '', ['.ts', '.mjs', '.js', '.c', '.h'])
  let read = 0
  for (const path of onDisk) {
    const text = textOf(root, path)
    read += 1
    checkSize(path, text, rules, findings)
    if (path.startsWith('src/')) checkSource(root, readSource(path, text), rules, findings)
  }
  return { read, onDisk: onDisk.length, findings }
}

/** Floors only look down, folders are floors, and an exception names a file that exists. */
function* checkRules(root, { floors, exceptions }) {
  const names = floors.map(({ name }) => name)
  for (const [i, { name, imports, planned }] of floors.entries()) {
    for (const below of imports === 'doors' ? [] : imports) {
      if (names.indexOf(below) === -1 || names.indexOf(below) >= i)
        yield `scripts/floors.json: ${name} may not stand on ${below}`
    }
    const exists = existsSync(join(root, 'src', name))
    if (planned && exists) yield `scripts/floors.json: ${name} exists and is no longer planned`
  }
  for (const { file, why } of exceptions) {
    if (!existsSync(join(root, file))) yield `scripts/floors.json: the exception for ${file} is for no file`
    if (!why) yield `scripts/floors.json: the exception for ${file} gives no reason`
  }
}

function checkSize(path, text, { maxLines, bannedFileNames }, findings) {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  if (lines > maxLines) findings.push(`${path}: ${lines} lines, over the limit of ${maxLines}; split it`)
  const name = basename(path).replace(/^_|\..*$/g, '')
  if (bannedFileNames.includes(name)) findings.push(`${path}: the name says nothing; name the concept`)
}

function checkSource(root, source, rules, findings) {
  const { path } = source
  const say = (at, what) => findings.push(`${path}:${source.lineOf(at)}: ${what}`)
  for (const at of source.emptyCatches) say(at, 'empty catch block: say what is swallowed, and why')
  for (const at of source.awaits) say(at, 'top-level await: a module that has it cannot be loaded by require()')
  for (const at of source.defaults) say(at, 'default export')
  const floor = floorOf(path, rules)
  if (floor === undefined && path !== ROOT_DOOR) {
    findings.push(`${path}: stands on no floor of scripts/floors.json`)
    return
  }
  if (basename(path) === 'index.ts') for (const at of source.notExports) say(at, 'an index.ts only re-exports')
  const banned = rules.bannedGlobals.floors.includes(floor?.name) ? rules.bannedGlobals.names : []
  for (const { name, at } of source.globals) if (banned.includes(name)) say(at, `${name} on the floor ${floor.name}`)
  for (const imported of source.imports) {
    const problem = problemOf(root, path, floor, imported, rules)
    if (problem !== undefined) say(imported.at, problem)
  }
}

function floorOf(path, { floors }) {
  const [, folder, inner] = path.split('/')
  return inner === undefined ? undefined : floors.find(({ name }) => name === folder)
}

function problemOf(root, path, floor, { specifier, typeOnly }, rules) {
  if (specifier === undefined) return floor?.loadsModules ? undefined : 'an import whose module is computed'
  const exception = rules.exceptions.find(({ file }) => file === path) ?? {}
  if (specifier.startsWith('node:')) return nodeProblem(floor, specifier, typeOnly, exception)
  if (specifier.startsWith('.')) return pathProblem(root, path, floor, specifier, exception)
  if (exception.packages?.includes(specifier)) return undefined
  return `the package ${specifier}: runtime dependencies are listed as exceptions in scripts/floors.json`
}

/** Types open nothing, so they may come from any module of Node, on a floor that may use Node at all. */
function nodeProblem(floor, specifier, typeOnly, exception) {
  const module = specifier.slice('node:'.length).split('/')[0]
  const allowed = floor?.node ?? []
  if (typeOnly && allowed.length > 0) return undefined
  if (allowed === 'any' || allowed.includes(module) || exception.node?.includes(module)) return undefined
  return `${specifier} on ${floor === undefined ? 'the root door' : `the floor ${floor.name}`}`
}

function pathProblem(root, path, floor, specifier, exception) {
  const target = posix.join(dirname(path), specifier).replace(/\.js$/, '.ts')
  if (!existsSync(join(root, target))) return `${specifier} is no file`
  const isDoor = basename(target) === 'index.ts'
  if (basename(target).startsWith('_') && dirname(target) !== dirname(path))
    return `${specifier} is private to its folder`
  const [, targetFloor] = target.split('/')
  if (floor === undefined) return targetFloor === 'cli' ? 'the root door imports the command' : undefined
  if (targetFloor === floor.name) return isDoor ? `${specifier}: nothing inside imports an index.ts` : undefined
  if (exception.imports?.includes(target)) return undefined
  if (floor.imports === 'doors')
    return isDoor ? undefined : `${specifier}: ${floor.name} imports only public doors (index.ts)`
  if (!floor.imports.includes(targetFloor)) return `${specifier}: ${floor.name} may not import ${targetFloor}`
  return isDoor ? `${specifier}: nothing inside imports an index.ts` : undefined
}
