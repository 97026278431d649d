import assert from 'node:assert/strict'
import { tryLoadNative } from '#src/transport/node/native.js'

/** What is imported after this, and every process and thread that it starts, does without the addon. */
export function switchAddonOff(): void {
  process.env['MOORAGE_NATIVE'] = 'off'
  assert.equal(tryLoadNative(), undefined)
}
