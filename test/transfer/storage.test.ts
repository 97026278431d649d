import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { folders } from './_both-ends.js'
import { Moorage } from './_processes.js'

const MIB = 1024 * 1024

test('a receiver at its file size limit says so, keeps the part and the old file, and goes on when there is room', async (context) => {
  const { from, to } = await folders(context)
  const source = join(from, 'big')
  const data = randomBytes(8 * MIB)
  await writeFile(source, data)
  await writeFile(join(to, 'big'), 'the old one')
  const endpoint = `unix:${join(from, 'socket')}`
  const limited = new Moorage(context, ['receive', endpoint, to, '--overwrite', '--once'], { ulimitBlocks: 4096 })
  await limited.event('listening')
  const refused = new Moorage(context, ['send', source, endpoint])
  const told = await refused.event('file')
  assert.deepEqual([told['status'], told['code'], told['reason']], ['failed', 'ERR_TRANSFER_STORAGE', 'storage'])
  assert.deepEqual(await refused.exited, { code: 1, signal: null })
  assert.deepEqual(await limited.exited, { code: 1, signal: null })
  assert.equal(await readFile(join(to, 'big'), 'utf8'), 'the old one')
  const part = await stat(join(to, 'big.part'))
  assert.equal(part.size, 2 * MIB)

  const roomy = new Moorage(context, ['receive', endpoint, to, '--overwrite', '--once'])
  await roomy.event('listening')
  const sender = new Moorage(context, ['send', source, endpoint])
  assert.equal((await sender.event('file'))['resumedAt'], part.size)
  assert.deepEqual(await Promise.all([sender.exited, roomy.exited]), [
    { code: 0, signal: null },
    { code: 0, signal: null },
  ])
  assert.ok(data.equals(await readFile(join(to, 'big'))))
  assert.deepEqual(await readdir(to), ['big'])
})

test('a receiver on a full disk says so, keeps the part and the old file, and goes on when there is room', async (context) => {
  const { from, to } = await folders(context)
  const disk = join(to, 'disk')
  await mkdir(disk)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk], { encoding: 'utf8' })
  if (mounted.status !== 0) {
    context.skip(`no tmpfs may be mounted here: ${mounted.stderr}${mounted.error?.message ?? ''}`)
    return
  }
  try {
    await fillDisk(context, from, disk)
  } finally {
    spawnSync('umount', ['-l', disk])
  }
})

async function fillDisk(context: TestContext, from: string, disk: string): Promise<void> {
  const source = join(from, 'big')
  const data = randomBytes(4 * MIB)
  await writeFile(source, data)
  await writeFile(join(disk, 'big'), 'the old one')
  await writeFile(join(disk, 'ballast'), randomBytes(4 * MIB))
  const endpoint = `unix:${join(from, 'socket')}`
  const receiver = new Moorage(context, ['receive', endpoint, disk, '--overwrite'])
  await receiver.event('listening')
  const refused = new Moorage(context, ['send', source, endpoint])
  const told = await refused.event('file')
  assert.deepEqual([told['status'], told['code'], told['reason']], ['failed', 'ERR_TRANSFER_STORAGE', 'storage'])
  assert.match(String(told['message']), /disk is full/)
  assert.deepEqual(await refused.exited, { code: 1, signal: null })
  assert.equal(await readFile(join(disk, 'big'), 'utf8'), 'the old one')
  const part = await stat(join(disk, 'big.part'))
  assert.ok(part.size > MIB && part.size < 4 * MIB)
  await rm(join(disk, 'ballast'))
  const sender = new Moorage(context, ['send', source, endpoint])
  assert.equal((await sender.event('file'))['resumedAt'], part.size)
  assert.deepEqual(await sender.exited, { code: 0, signal: null })
  assert.ok(data.equals(await readFile(join(disk, 'big'))))
}
