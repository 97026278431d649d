import * as compression from './compression.js'
import * as frames from './frames.js'
import * as limits from './limits.js'
import * as messages from './messages.js'
import * as texts from './texts.js'
import type { ReadRow, RefusedRow } from './row.js'

const SUBJECTS = [frames, messages, texts, compression, limits]

export const READ: readonly ReadRow[] = SUBJECTS.flatMap(({ READ: rows }) => rows)
export const REFUSED: readonly RefusedRow[] = SUBJECTS.flatMap(({ REFUSED: rows }) => rows)
