import {
  array,
  maxLength,
  minLength,
  optional,
  pipe,
  regex,
  strictObject,
  string,
  trim,
  type InferOutput,
} from 'valibot'

/** What a note must be. Any Standard Schema does in its place: with zod it is `z.strictObject({ title: z.string()… })`. */
export const Note = strictObject({
  title: pipe(string(), trim(), minLength(1, 'A title is missing'), maxLength(200)),
  text: optional(pipe(string(), maxLength(10_000)), ''),
  tags: optional(pipe(array(pipe(string(), regex(/^[a-z\d-]{1,32}$/))), maxLength(20)), []),
})
export type Note = InferOutput<typeof Note>
