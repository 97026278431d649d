import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { HttpError } from '#src/http/response.js'
import { UploadFolder } from '#src/static/upload/folder.js'
import { UploadPart } from '#src/static/upload/part.js'
import { publish } from '#src/static/upload/publish.js'
import { temporaryFolder } from './_tree.js'

const TIMEOUT = { timeout: 20_000 }
const root = temporaryFolder()

/** The folder, with files whose mode cannot be changed, as if it lay on FAT. */
async function folderWithoutModes(code: string): Promise<UploadFolder> {
  const folder = await UploadFolder.open({ root, dotfiles: 'hide', symlinks: 'inside' }, [])
  assert.ok(folder !== undefined)
  const create = folder.create.bind(folder)
  folder.create = async (name): Promise<FileHandle> => {
    const file = await create(name)
    file.chmod = () => Promise.reject(Object.assign(new Error(`${code}: fchmod`), { code }))
    return file
  }
  return folder
}

suite('UploadPart on a file system without modes', () => {
  for (const code of ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']) {
    test(`gets its name when chmod fails with ${code}`, TIMEOUT, async () => {
      const folder = await folderWithoutModes(code)
      const part = await UploadPart.create(folder, `part-${code}`, { maxBytes: 10, minFreeBytes: 0 })
      const pieces = [Buffer.from(code)]
      await part.take({ read: () => Promise.resolve(pieces.shift() ?? null) })
      await part.finish()
      await publish(folder, part.name, `of-${code}`, {}, false)
      await folder.close()
      assert.equal(readFileSync(join(root, `of-${code}`), 'utf8'), code)
    })
  }
  test('still tells of other failures, and leaves nothing behind', TIMEOUT, async () => {
    const folder = await folderWithoutModes('EROFS')
    const part = await UploadPart.create(folder, 'part', { maxBytes: 10, minFreeBytes: 0 })
    await assert.rejects(part.finish(), (error) => error instanceof HttpError && error.status === 403)
    await part.discard()
    await folder.close()
    assert.ok(!readdirSync(root).includes('part'))
  })
})
