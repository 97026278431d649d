// The TypeScript in the documents compiles against the package as users import it.
import { compileSnippets } from '../snippets.mjs'

export async function check(root) {
  const { snippets, compiled, findings } = await compileSnippets(root)
  return { read: compiled, onDisk: snippets.length, unit: 'snippets', findings }
}
