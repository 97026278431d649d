import { errorCodeOf, messageOf, MoorageError } from '../base/index.js'

/** What the system says of a place that takes no bytes, and what to do about it. */
const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full (ENOSPC); make room there, or write to another disk',
  EDQUOT: 'the disk quota is used up (EDQUOT); make room there, or write to another disk',
  EFBIG: 'it would be larger than the system allows (EFBIG); look at ulimit -f',
  EROFS: 'the file system is read-only (EROFS); write to another place',
  EACCES: 'the system refuses access (EACCES); check the rights to it and to its folder',
  EPERM: 'the system does not permit it (EPERM); check the rights to it and to its folder',
  EISDIR: 'it is a folder (EISDIR); give the name of a file',
  ENOENT: 'its folder is not there (ENOENT); make it first',
  ENOTDIR: 'what should be its folder is a file (ENOTDIR); give another name',
  EIO: 'the disk reports an error (EIO); look at the log of the system',
}

/** One clause for people. */
export const storageWords = (error: unknown): string => WORDS[errorCodeOf(error) ?? ''] ?? messageOf(error)

/** @throws what `work` throws; what the file system says of it as an Error that names the file. */
export async function writing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof MoorageError || WORDS[errorCodeOf(error) ?? ''] === undefined) throw error
    throw new Error(`Cannot write ${JSON.stringify(path)}: ${storageWords(error)}`, { cause: error })
  }
}
