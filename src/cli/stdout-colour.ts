import { styleText } from 'node:util'

/** Colour for what goes to stdout, where that is a terminal (no-color.org). */
export const colours = (): boolean =>
  process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'blue' | 'magenta'

export const paint = (style: Style, text: string): string => styleText(style, text, { validateStream: false })
