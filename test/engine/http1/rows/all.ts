import * as chunks from './chunks.js'
import * as connection from './connection.js'
import * as fields from './fields.js'
import * as framing from './framing.js'
import * as limits from './limits.js'
import * as startLine from './start-line.js'
import * as targets from './targets.js'
import type { ReadRow, RefusedRow } from './row.js'

const SUBJECTS = [startLine, targets, fields, framing, chunks, limits, connection]

export const READ: readonly ReadRow[] = SUBJECTS.flatMap(({ READ: rows }) => rows)
export const REFUSED: readonly RefusedRow[] = SUBJECTS.flatMap(({ REFUSED: rows }) => rows)
