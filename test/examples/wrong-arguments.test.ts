import assert from 'node:assert/strict'
import { test } from 'node:test'
import { example } from '../fixtures/example.js'

for (const [name, args] of [
  ['game', ['bots', 'foo']],
  ['game', ['bots', 'ws://127.0.0.1:1', 'many']],
  ['game', ['replay', '/nope']],
  ['game', ['nonsense']],
  ['game', ['--sead', '1']],
  ['chat', ['--modle', 'threads']],
  ['chat', ['--model', 'thread']],
  ['chat', ['--size', 'two']],
  ['chat', ['nonsense']],
  ['chat', ['tcp://127.0.0.1:0', 'nonsense']],
  ['crawler', []],
  ['crawler', ['http://127.0.0.1:1/']],
  ['crawler', ['nonsense', '--out', '/nope']],
  ['crawler', ['http://127.0.0.1:1/', '--out', '/nope', '--delay', 'soon']],
  ['crawler', ['http://127.0.0.1:1/', '--out', '/nope', '--user-agent', '42']],
  ['crawler', ['http://127.0.0.1:1/', '--ouT', '/nope']],
  ['crawler', ['demo', 'nonsense']],
  ['crawler', ['demo', '--pages', '0']],
] as const)
  test(`${name} ${args.join(' ')}: one line, and the code 2`, { timeout: 30_000 }, async (context) => {
    const program = example(context, `${name}/start`, args)
    const { code } = await program.exited
    assert.equal(code, 2, program.stderr)
    assert.match(program.stderr, /^(game|chat|crawler): .+\n$/)
  })
