// One source file, parsed: what it imports, and the places that rules are about.
import { parseSync } from 'oxc-parser'

/** @typedef {{ specifier: string | undefined, at: number, typeOnly: boolean }} Import */

export function readSource(path, text) {
  const { program, module, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`)
  const source = {
    path,
    text,
    imports: [],
    globals: [],
    emptyCatches: [],
    awaits: [],
    defaults: [],
    lineOf,
    notExports: [],
  }
  for (const { moduleRequest, entries, start } of module.staticImports) {
    const typeOnly = entries.length > 0 && entries.every((entry) => entry.isType)
    source.imports.push({ specifier: moduleRequest.value, at: start, typeOnly })
  }
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, exportName, start } of entries) {
      if (moduleRequest) source.imports.push({ specifier: moduleRequest.value, at: start, typeOnly: false })
      if (exportName.kind === 'Default') source.defaults.push(start)
    }
  }
  for (const statement of program.body) {
    const reexports =
      statement.type === 'ExportAllDeclaration' || (statement.type === 'ExportNamedDeclaration' && statement.source)
    if (!reexports) source.notExports.push(statement.start)
  }
  visit(program, undefined, undefined, 0, source)
  const explained = ({ start, end }) => comments.some((comment) => comment.start > start && comment.end < end)
  source.emptyCatches = source.emptyCatches.filter((block) => !explained(block)).map(({ start }) => start)
  return source

  function lineOf(at) {
    return text.slice(0, at).split('\n').length
  }
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const LOADERS = new Set(['require', 'getBuiltinModule', 'createRequire'])

function visit(node, parent, key, depth, source) {
  if (Array.isArray(node)) {
    for (const child of node) visit(child, parent, key, depth, source)
    return
  }
  if (typeof node !== 'object' || node === null || typeof node.type !== 'string') return
  inspect(node, parent, key, depth, source)
  const inner =
    FUNCTIONS.has(node.type) || node.type === 'StaticBlock' || node.type === 'PropertyDefinition' ? depth + 1 : depth
  for (const [name, child] of Object.entries(node)) {
    if (typeof child === 'object' && child !== null) visit(child, node, name, inner, source)
  }
}

function inspect(node, parent, key, depth, source) {
  switch (node.type) {
    case 'ImportExpression':
    case 'TSImportType': {
      const { value } = node.source ?? node.argument?.literal ?? node.argument ?? {}
      const specifier = typeof value === 'string' ? value : undefined
      source.imports.push({ specifier, at: node.start, typeOnly: node.type === 'TSImportType' })
      return
    }
    case 'CallExpression': {
      const name = node.callee.property?.name ?? node.callee.name
      const [first] = node.arguments
      if (LOADERS.has(name) && name !== 'createRequire') {
        const specifier = typeof first?.value === 'string' ? first.value : undefined
        source.imports.push({ specifier: withNode(name, specifier), at: node.start, typeOnly: false })
      }
      return
    }
    case 'Identifier':
      if (isReference(parent, key)) source.globals.push({ name: node.name, at: node.start })
      return
    case 'CatchClause':
      if (node.body.body.length === 0) source.emptyCatches.push(node.body)
      return
    case 'AwaitExpression':
      if (depth === 0) source.awaits.push(node.start)
      return
    case 'ForOfStatement':
      if (depth === 0 && node.await) source.awaits.push(node.start)
      return
    case 'VariableDeclaration':
      if (depth === 0 && node.kind === 'await using') source.awaits.push(node.start)
      return
  }
}

/** `process.getBuiltinModule('net')` takes the bare name of a module of Node's. */
function withNode(name, specifier) {
  if (specifier === undefined || name !== 'getBuiltinModule') return specifier
  return specifier.startsWith('node:') ? specifier : `node:${specifier}`
}

/** Whether the identifier names a value or type, and not a property, a key or a label. */
function isReference(parent, key) {
  if (parent === undefined) return true
  if (parent.type === 'MemberExpression' && key === 'property') return parent.computed
  if (parent.type === 'TSQualifiedName' && key === 'right') return false
  if (key === 'key') return parent.computed === true
  return key !== 'label'
}
