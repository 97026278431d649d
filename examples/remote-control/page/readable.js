// Output of programs as text that does nothing: what would move a cursor, hide or turn around text is shown instead.

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const COLORS = /\u001b\[[0-9;]*m/g
// oxlint-disable-next-line no-control-regex -- as above; tabs and line ends stay
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

const shown = (character) => {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : `\\u${code.toString(16).padStart(4, '0')}`
}

export const readable = (text) => text.replaceAll('\r\n', '\n').replaceAll(COLORS, '').replaceAll(CONTROLS, shown)
