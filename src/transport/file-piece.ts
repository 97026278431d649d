/** Bytes of an open file. */
export interface FilePiece {
  readonly descriptor: number
  readonly offset: number
  readonly length: number
}

/** Whether the system can send such a piece by itself now. */
export type SendsFile = (piece: FilePiece) => boolean
