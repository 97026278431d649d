import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))
const LEFT_OUT = new Set(['node_modules', '.git', '.build'])

/** A copy of this tree, with the installed packages of this one. */
export class Tree {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'moorage-checks-'))

  constructor() {
    for (const entry of readdirSync(root)) {
      if (LEFT_OUT.has(entry)) continue
      const isCopied = (path: string): boolean => !path.endsWith('/node_modules')
      cpSync(join(root, entry), join(this.folder, entry), {
        ...{ recursive: true, preserveTimestamps: true, filter: isCopied },
      })
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'))
  }

  write(path: string, text: string): void {
    assert.ok(!existsSync(join(this.folder, path)), `${path} is new`)
    writeFileSync(join(this.folder, path), text)
  }

  append(path: string, text: string): void {
    appendFileSync(join(this.folder, path), text)
  }

  replace(path: string, from: string | RegExp, to: string): void {
    const text = readFileSync(join(this.folder, path), 'utf8')
    const changed = text.replace(from, to)
    assert.notEqual(changed, text, `${path} has ${String(from)}`)
    writeFileSync(join(this.folder, path), changed)
  }

  check(name: string): { readonly status: number | null; readonly output: string } {
    return runCheck(this.folder, [name])
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function runCheck(
  folder: string,
  names: readonly string[],
): { readonly status: number | null; readonly output: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const script = join(folder, 'scripts/check.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...names], {
    cwd: folder,
    env,
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

interface Fault {
  readonly name: string
  readonly check: string
  readonly plant: (tree: Tree) => void
  /** What the check must say of it. */
  readonly found: RegExp
}

const planted = (path: string, text: string): ((tree: Tree) => void) => {
  return (tree) => tree.write(path, text)
}

const FAULTS: readonly Fault[] = [
  {
    name: 'an upward import',
    check: 'floors',
    plant: planted('src/base/planted.ts', `export { parseEndpoint } from '../transport/endpoint.js'\n`),
    found: /src\/base\/planted\.ts:1: .* base may not import transport/,
  },
  {
    name: 'an upward import of a type',
    check: 'floors',
    plant: planted('src/engine/planted.ts', `export type Planted = import('../transport/endpoint.js').Endpoint\n`),
    found: /src\/engine\/planted\.ts:1: .* engine may not import transport/,
  },
  {
    name: 'a forbidden module of Node',
    check: 'floors',
    plant: planted(
      'src/engine/planted.ts',
      `import { readFileSync } from 'node:fs'\nexport const read = readFileSync\n`,
    ),
    found: /src\/engine\/planted\.ts:1: node:fs on the floor engine/,
  },
  {
    name: 'a forbidden module of Node, loaded late',
    check: 'floors',
    plant: planted('src/transport/planted.ts', `\nexport const load = () => process.getBuiltinModule('http')\n`),
    found: /src\/transport\/planted\.ts:2: node:http on the floor transport/,
  },
  {
    name: 'an import of a package',
    check: 'floors',
    plant: planted('src/transport/planted.ts', `export const load = () => import('left-pad')\n`),
    found: /src\/transport\/planted\.ts:1: the package left-pad/,
  },
  {
    name: 'an import of an index.ts from inside',
    check: 'floors',
    plant: planted('src/transport/planted.ts', `export { LineDecoder } from '../engine/framing/index.js'\n`),
    found: /src\/transport\/planted\.ts:1: .*nothing inside imports an index\.ts/,
  },
  {
    name: "an import of another folder's private file",
    check: 'floors',
    plant: planted('src/engine/planted.ts', `export { crc32c } from './proxy-protocol/_crc32c.js'\n`),
    found: /src\/engine\/planted\.ts:1: .* private to its folder/,
  },
  {
    name: 'Buffer in an engine',
    check: 'floors',
    plant: planted('src/engine/planted.ts', `export const bytes = Buffer.alloc(1)\n`),
    found: /src\/engine\/planted\.ts:1: Buffer on the floor engine/,
  },
  {
    name: 'a file of 501 lines',
    check: 'floors',
    plant: planted('src/base/planted.ts', '// line\n'.repeat(501)),
    found: /src\/base\/planted\.ts: 501 lines/,
  },
  {
    name: 'an empty catch',
    check: 'floors',
    plant: planted(
      'src/base/planted.ts',
      `export function run(work: () => void): void {\n  try {\n    work()\n  } catch {}\n}\n`,
    ),
    found: /src\/base\/planted\.ts:4: empty catch/,
  },
  {
    name: 'top-level await',
    check: 'floors',
    plant: planted('src/transport/planted.ts', `export const value: number = await Promise.resolve(1)\n`),
    found: /src\/transport\/planted\.ts:1: top-level await/,
  },
  {
    name: 'a file whose name says nothing',
    check: 'floors',
    plant: planted('src/base/utils.ts', `export const one = 1\n`),
    found: /src\/base\/utils\.ts: the name says nothing/,
  },
  {
    name: 'a folder that is no floor',
    check: 'floors',
    plant: (tree) => cpSync(join(tree.folder, 'src/base'), join(tree.folder, 'src/planted'), { recursive: true }),
    found: /src\/planted\/ascii\.ts: stands on no floor/,
  },
  {
    name: 'a lost promise',
    check: 'lint',
    plant: planted(
      'src/transport/planted.ts',
      `async function work(): Promise<void> {}\nexport const start = (): void => {\n  work()\n}\n`,
    ),
    found: /src\/transport\/planted\.ts:3:3: Promises must be awaited/,
  },
  {
    name: 'a clock in an engine, a default export, an any',
    check: 'lint',
    plant: planted('src/engine/planted.ts', `export default function now(): any {\n  return Date.now()\n}\n`),
    found:
      /(?=[^]*planted\.ts:1:8: .*no-default-export)(?=[^]*planted\.ts:1:\d+: .*no-explicit-any)(?=[^]*planted\.ts:2:\d+: .*no-restricted-globals)/,
  },
  {
    name: 'files that the linter was told to ignore',
    check: 'lint',
    plant: (tree) => tree.replace('.oxlintrc.json', '"native/build"', '"native/build", "src/engine"'),
    found: /fail {2}lint[^]*read \d+ of the \d+ files on disk/,
  },
  {
    name: 'an undocumented error code',
    check: 'codes',
    plant: (tree) => {
      tree.replace('src/base/codes.ts', "  | 'ERR_STATE'\n", "  | 'ERR_STATE'\n  | 'ERR_PLANTED'\n")
      tree.replace(
        'src/base/codes.ts',
        '  ERR_STATE: entry(',
        "  ERR_PLANTED: entry('local', 'x', 'y'),\n  ERR_STATE: entry(",
      )
    },
    found: /(?=[^]*ERRORS\.md: ERR_PLANTED is not documented)(?=[^]*codes\.ts: ERR_PLANTED is used nowhere)/,
  },
  {
    name: 'a documented code that does not exist, in a stale ERRORS.md',
    check: 'codes',
    plant: (tree) => tree.replace('docs/ERRORS.md', '`ERR_STATE`', '`ERR_GONE`'),
    found: /(?=[^]*ERRORS\.md: ERR_GONE does not exist)(?=[^]*ERRORS\.md: not what the code says now)/,
  },
  {
    name: 'a changed default with a stale OPTIONS.md',
    check: 'codes',
    plant: (tree) => tree.replace('src/engine/framing/lines.ts', '65_536', '65_537'),
    found: /OPTIONS\.md: not what the code says now/,
  },
  {
    name: 'options that are not documented',
    check: 'codes',
    plant: (tree) => tree.append('src/base/logger.ts', 'export const PLANTED_OPTIONS = {} as const\n'),
    found: /PLANTED_OPTIONS of src\/base\/logger\.ts is not listed/,
  },
  {
    name: 'an unformatted file',
    check: 'format',
    plant: planted('src/base/planted.ts', `export const a = "double";\n`),
    found: /src\/base\/planted\.ts: not formatted/,
  },
  {
    name: 'a type of Node in an engine',
    check: 'types',
    plant: planted('src/engine/planted.ts', `export type Planted = NodeJS.Timeout\n`),
    found: /src\/engine\/planted\.ts.*error TS/,
  },
  {
    name: 'a wrong type in a test',
    check: 'types',
    plant: planted('test/planted.test.ts', `export const wrong: string = 1\n`),
    found: /test\/planted\.test\.ts.*error TS2322/,
  },
  {
    name: 'the marks of a merge, in a page and in what has no ending, and none in the middle of a line',
    check: 'merges',
    plant: (tree) => {
      tree.append('docs/models.md', '<<<<<<< HEAD\nours\n||||||| base\n=======\ntheirs\n>>>>>>> branch\n')
      tree.write('planted', 'one\n=======\r\n a line with <<<<<<< in it\n========\n')
    },
    found:
      /5 findings(?=[^]*models\.md:\d+: .* <<<<<<< HEAD)(?=[^]*models\.md:\d+: .* >>>>>>> branch)(?=[^]*planted:2: )/,
  },
  {
    name: 'links to a file and to a heading that are not there, and none in code',
    check: 'links',
    plant: planted(
      'docs/planted.md',
      '# Planted\n\n[a](gone.md), [`b`](#plant), `[c](code.md)`\n[d](models.md#concurrency-models), [e](../README.md#nothing)\n\n' +
        '```text\n[f](fence.md)\n```\n\n    [g](indent.md)\n\n<img src="gone.png" alt="h">\n',
    ),
    found:
      /4 findings(?=[^]*planted\.md:12: the link gone\.png )(?=[^]*planted\.md:3: the link gone\.md)(?=[^]*planted\.md:3: the link #plant )(?=[^]*planted\.md:4: .* README\.md has no such heading)/,
  },
  {
    name: 'a page that README links to and that is not packed',
    check: 'package',
    plant: (tree) => tree.replace('package.json', '"docs",', ''),
    found: /README\.md:\d+: the link docs\/servers\.md leads to what is not in the tarball/,
  },
  {
    name: 'a snippet that does not compile',
    check: 'snippets',
    plant: planted('docs/planted.md', '# Planted\n\n```ts\nconst wrong: string = 1\n```\n'),
    found: /docs\/planted\.md:4: .*TS2322/,
  },
  {
    name: 'an entry whose types come too late to be found',
    check: 'package',
    plant: (tree) => {
      const types = '"types": "./dist/engine/framing/index.d.ts"'
      const code = '"default": "./dist/engine/framing/index.js"'
      tree.replace('package.json', new RegExp(`${types},\\s*${code}`), `${code},${types}`)
    },
    found: /publint: .*engine\/framing.*types/,
  },
  {
    name: 'a development dependency without a reason',
    check: 'package',
    plant: (tree) => tree.replace('docs/DEPENDENCIES.md', '`publint`', 'publint'),
    found: /DEPENDENCIES\.md: publint has no reason/,
  },
  {
    name: 'an entry that is not in the tarball',
    check: 'package',
    plant: (tree) =>
      tree.replace('package.json', '"./package.json":', '"./planted": "./dist/planted.js",\n    "./package.json":'),
    found: /dist\/planted\.js is an entry, and not in the tarball/,
  },
]

/** A test for each planted fault of these checks. They are in two files: together they take minutes. */
export function testFaults(checks: readonly string[]): void {
  for (const { name, check, plant, found } of FAULTS.filter((fault) => checks.includes(fault.check))) {
    test(`npm run check ${check} finds ${name}`, () => {
      const tree = new Tree()
      try {
        plant(tree)
        const { status, output } = tree.check(check)
        assert.equal(status, 1, output)
        assert.match(output, found)
      } finally {
        tree.remove()
      }
    })
  }
}

export const QUICK = ['merges', 'format', 'types', 'floors', 'codes', 'links', 'snippets']
export const SLOW = ['lint', 'package']

export const countedFaults: number = FAULTS.filter(({ check }) => [...QUICK, ...SLOW].includes(check)).length
export const allFaults: number = FAULTS.length
