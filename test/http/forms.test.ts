import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { FORM_OPTIONS, type FormOptions } from '#src/http/forms/options.js'
import { readForm } from '#src/http/forms/read-form.js'
import { json, HttpError, text } from '#src/http/response.js'
import { serveHttp } from '#src/http/server.js'
import { readOptions } from '#src/base/options.js'
import { until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { readAll } from '#src/testing/connection-pair.js'

const run = promisify(execFile)
const TIMEOUT = { timeout: 30_000 }
const MULTIPART = 'multipart/form-data; boundary=XX'
const URLENCODED = 'application/x-www-form-urlencoded'

const field = (name: string, value: string, more: string = ''): string =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
const file = (name: string, fileName: string, content: string, type: string = 'text/plain'): string =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"; filename="${fileName}"\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`
const END = '--XX--\r\n'

interface Read {
  readonly kind: string
  readonly name: string
  readonly value: string
  readonly fileName?: string
  readonly type?: string
}

/** What a body has in it when it comes in these pieces. */
async function readPieces(
  pieces: readonly Uint8Array[],
  type: string,
  options: FormOptions = {},
  drops: boolean = false,
): Promise<readonly Read[]> {
  let at = 0
  const source = { read: () => Promise.resolve(pieces[at++] ?? null) }
  const found: Read[] = []
  for await (const part of readForm(source, type, readOptions('a form', FORM_OPTIONS, options))) {
    if (part.kind === 'field') found.push({ kind: 'field', name: part.name, value: part.value })
    else if (!drops) {
      const parts: Uint8Array[] = []
      for await (const bytes of part) parts.push(bytes)
      const { name, fileName } = part
      found.push({ kind: 'file', name, fileName, type: part.type, value: Buffer.concat(parts).toString() })
    }
  }
  return found
}

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

/** What is in use when nothing is left to be collected. */
function usedBytes(): number {
  assert.ok(typeof collect === 'function')
  Reflect.apply(collect, undefined, [])
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Whole, byte by byte, and cut in two at every place: always the same. */
async function readEachWay(body: string, type: string, options?: FormOptions): Promise<readonly Read[]> {
  const bytes = Buffer.from(body)
  const whole = await readPieces([bytes], type, options)
  assert.deepEqual(
    await readPieces(
      [...bytes].map((byte) => Uint8Array.of(byte)),
      type,
      options,
    ),
    whole,
  )
  for (let at = 1; at < bytes.length; at += 1)
    assert.deepEqual(
      await readPieces([bytes.subarray(0, at), bytes.subarray(at)], type, options),
      whole,
      `cut at ${at}`,
    )
  return whole
}

/** The status with which it is refused, in the same ways. */
async function refusal(body: string, type: string, options?: FormOptions): Promise<number> {
  const bytes = Buffer.from(body)
  const ways = [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]
  for (let at = 1; at < bytes.length; at += 7) ways.push([bytes.subarray(0, at), bytes.subarray(at)])
  const found = new Set<number>()
  for (const pieces of ways) {
    const error = await within(
      'the refusal',
      readPieces(pieces, type, options).catch((error: unknown) => error),
    )
    assert.ok(error instanceof HttpError, `expected a refusal of ${JSON.stringify(body.slice(0, 200))}`)
    assert.ok(error.message !== '' && error.message.length < 200)
    found.add(error.status)
  }
  assert.equal(found.size, 1)
  return [...found][0] ?? 0
}

suite('readForm', () => {
  const read: readonly (readonly [name: string, body: string, type: string, expected: readonly Read[]])[] = [
    ['no fields', END, MULTIPART, []],
    [
      'a preamble and an epilogue',
      `before\r\n${field('a', '1')}${END}behind`,
      MULTIPART,
      [{ kind: 'field', name: 'a', value: '1' }],
    ],
    [
      'fields and files',
      `${field('a', '1')}${file('f', 'ü.txt', 'line\r\n--X\r\n')}${field('a', '')}${END}`,
      MULTIPART,
      [
        { kind: 'field', name: 'a', value: '1' },
        { kind: 'file', name: 'f', fileName: 'ü.txt', type: 'text/plain', value: 'line\r\n--X\r\n' },
        { kind: 'field', name: 'a', value: '' },
      ],
    ],
    [
      'a name with folders',
      `${file('f', '../../etc/passwd', 'x')}${END}`,
      MULTIPART,
      [{ kind: 'file', name: 'f', fileName: 'passwd', type: 'text/plain', value: 'x' }],
    ],
    [
      'an empty file',
      `${file('f', '', '', 'application/octet-stream')}${END}`,
      MULTIPART,
      [{ kind: 'file', name: 'f', fileName: '', type: 'application/octet-stream', value: '' }],
    ],
    ['text that is not ASCII', `${field('ä', '日本')}${END}`, MULTIPART, [{ kind: 'field', name: 'ä', value: '日本' }]],
    ['nothing', '', URLENCODED, []],
    [
      'pairs',
      'a=1&b=%C3%A4+x&&c&=d&a=2',
      URLENCODED,
      [
        ['a', '1'],
        ['b', 'ä x'],
        ['c', ''],
        ['', 'd'],
        ['a', '2'],
      ].map(([name = '', value = '']) => ({ kind: 'field', name, value })),
    ],
  ]
  for (const [name, body, type, expected] of read) {
    test(`reads ${name} of ${type.split(';')[0]}, however the body is cut`, TIMEOUT, async () => {
      assert.deepEqual(await readEachWay(body, type), expected)
    })
  }

  const refused: readonly (readonly [
    name: string,
    status: number,
    body: string,
    type: string,
    options?: FormOptions,
  ])[] = [
    ['another type', 415, '{}', 'application/json'],
    ['no type', 415, 'a=1', ''],
    ['no boundary', 400, field('a', '1') + END, 'multipart/form-data'],
    ['a boundary that cannot be', 400, END, 'multipart/form-data; boundary="a\tb"'],
    ['an empty body', 400, '', MULTIPART],
    ['a body without a boundary in it', 400, 'hello', MULTIPART],
    ['a body that ends in a field', 400, field('a', '1'), MULTIPART],
    ['a body that ends in the fields of a part', 400, '--XX\r\nContent-Dispos', MULTIPART],
    [
      'a body that ends in a file',
      400,
      '--XX\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nabc',
      MULTIPART,
    ],
    ['a last boundary of one dash', 400, `${field('a', '1')}--XX-`, MULTIPART],
    ['a part without fields', 400, `--XX\r\n\r\nabc\r\n${END}`, MULTIPART],
    [
      'a part whose fields have no end',
      400,
      `--XX\r\nContent-Disposition: form-data; name=a\r\n${field('b', '')}${END}`,
      MULTIPART,
    ],
    ['a part without a name', 400, `--XX\r\nContent-Disposition: form-data\r\n\r\nabc\r\n${END}`, MULTIPART],
    ['a part of another kind', 400, `--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nabc\r\n${END}`, MULTIPART],
    ['a part with a coding', 400, field('a', 'YQ==', '\r\nContent-Transfer-Encoding: base64') + END, MULTIPART],
    ['a part with a field twice', 400, field('a', '1', '\r\nContent-Disposition: form-data; name=b') + END, MULTIPART],
    ['a field one byte too long', 413, field('a', 'x'.repeat(6)) + END, MULTIPART, { maxFieldBytes: 5 }],
    ['a file one byte too long', 413, file('a', 'b', 'x'.repeat(6)) + END, MULTIPART, { maxFileBytes: 5 }],
    ['one field too many', 413, field('a', '1').repeat(3) + END, MULTIPART, { maxFields: 2 }],
    ['one file too many', 413, file('a', 'b', '1').repeat(3) + END, MULTIPART, { maxFiles: 2 }],
    ['a name one byte too long', 413, field('x'.repeat(6), '1') + END, MULTIPART, { maxNameBytes: 5 }],
    ['a file name one byte too long', 413, file('x', 'y'.repeat(6), '1') + END, MULTIPART, { maxNameBytes: 5 }],
    [
      'fields of a part too long',
      413,
      field('a', '1', `\r\nX: ${'x'.repeat(100)}`) + END,
      MULTIPART,
      { maxPartHeaderBytes: 100 },
    ],
    [
      'fields of a part far too long',
      413,
      field('a', '1', `\r\nX: ${'x'.repeat(9000)}`) + END,
      MULTIPART,
      { maxPartHeaderBytes: 100 },
    ],
    [
      'too many fields of a part',
      413,
      field('a', '1', '\r\nX: x'.repeat(0) + Array.from({ length: 16 }, (_, i) => `\r\nX${i}: x`).join('')) + END,
      MULTIPART,
    ],
    ['one pair too many', 413, 'a&b&c', URLENCODED, { maxFields: 2 }],
    ['a value one byte too long', 413, 'a=123456', URLENCODED, { maxFieldBytes: 5 }],
    ['a value far too long', 413, `a=${'x'.repeat(10_000)}`, URLENCODED, { maxFieldBytes: 5 }],
    ['a name in a pair too long', 413, 'abcdef=1', URLENCODED, { maxNameBytes: 5 }],
  ]
  for (const [name, status, body, type, options] of refused) {
    test(`refuses ${name} with ${status}`, TIMEOUT, async () => {
      assert.equal(await refusal(body, type, options), status)
    })
  }
  for (const [kind, begun, end] of [
    ['multipart', field('a', '').slice(0, -2), `\r\n${END}`],
    ['urlencoded', 'a=', ''],
  ] as const) {
    test(
      `holds a field that comes in pieces of one byte in little more than its length: ${kind}`,
      TIMEOUT,
      async () => {
        const count = 200_000
        let at = 0
        let held = 0
        const before = usedBytes()
        const source = {
          read: () => {
            at += 1
            if (at === 1) return Promise.resolve(Buffer.from(begun))
            if (at <= count + 1) return Promise.resolve(Buffer.allocUnsafe(1).fill('x'))
            held = Math.max(held, usedBytes() - before)
            return Promise.resolve(at === count + 2 && end !== '' ? Buffer.from(end) : null)
          },
        }
        const type = kind === 'multipart' ? MULTIPART : URLENCODED
        for await (const part of readForm(source, type, readOptions('a form', FORM_OPTIONS, {})))
          assert.equal(part.kind === 'field' && part.value.length, count)
        assert.ok(held < 20 * count, `${held} bytes for ${count}`)
      },
    )
  }
  test('never reads a file to an end that is none, however it is cut', TIMEOUT, async () => {
    const before = file('f', 'before', 'x')
    const rows = [before + file('f', 'long', '123456') + END, before + file('f', 'cut', '12345').slice(0, -2)]
    for (const body of rows) {
      for (let at = 1; at < body.length; at += 1) {
        const pieces = [Buffer.from(body.slice(0, at)), Buffer.from(body.slice(at))]
        const source = { read: () => Promise.resolve(pieces.shift() ?? null) }
        const whole: string[] = []
        const reading = (async () => {
          const settings = readOptions('a form', FORM_OPTIONS, { maxFileBytes: 5 })
          for await (const part of readForm(source, MULTIPART, settings)) {
            if (part.kind !== 'file') continue
            while ((await part.read()) !== null);
            whole.push(part.fileName)
          }
        })()
        await assert.rejects(within('the refusal', reading), HttpError)
        assert.deepEqual(whole, ['before'], `cut at ${at}`)
      }
    }
  })
  test('refuses what came without waiting for what may come', TIMEOUT, async () => {
    for (const begun of [
      file('f', 'g', 'x'.repeat(100)),
      `--XX\r\nContent-Disposition: inline\r\n\r\n${'x'.repeat(100)}`,
    ]) {
      let reads = 0
      const source = {
        read: () => ((reads += 1) === 1 ? Promise.resolve(Buffer.from(begun)) : new Promise<null>(() => undefined)),
      }
      const reading = (async () => {
        for await (const part of readForm(source, MULTIPART, readOptions('a form', FORM_OPTIONS, { maxFileBytes: 5 })))
          assert.equal(part.kind, 'file')
      })()
      await assert.rejects(within('the refusal', reading), HttpError)
    }
  })
  test('takes what is just at its limits', TIMEOUT, async () => {
    const options = { maxFieldBytes: 5, maxFileBytes: 5, maxFields: 1, maxFiles: 1, maxNameBytes: 5 }
    const body = field('a'.repeat(5), 'x'.repeat(5)) + file('f'.repeat(5), 'n'.repeat(5), 'y'.repeat(5)) + END
    assert.equal((await readEachWay(body, MULTIPART, options)).length, 2)
    assert.equal((await readEachWay('abcde=%41%41%41%41%41', URLENCODED, options)).length, 1)
  })
  test('ends with parts or a refusal, whatever comes and however it is cut', TIMEOUT, async () => {
    const piece = fc.constantFrom(
      '--XX',
      '\r\n',
      '--',
      '-',
      'Content-Disposition: form-data; name=a',
      '; filename=b',
      ':',
      'x',
      '\r',
      '\n',
      '\0',
      field('a', '1'),
      file('f', 'g', 'content'),
      END,
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 20 }),
        fc.array(fc.nat(200)),
        fc.boolean(),
        async (words, cuts, drops) => {
          const bytes = Buffer.from(words.join(''))
          const places = [...new Set(cuts.filter((at) => at < bytes.length))].toSorted((a, b) => a - b)
          const pieces = [0, ...places].map((at, i) => bytes.subarray(at, places[i] ?? bytes.length))
          const outcome = await within(
            `an end of ${JSON.stringify(words.join(''))}`,
            readPieces(pieces, MULTIPART, {}, drops).catch((error: unknown) => error),
          )
          assert.ok(Array.isArray(outcome) || (outcome instanceof HttpError && outcome.status === 400))
        },
      ),
      { numRuns: 2000 },
    )
  })
})

suite('forms of a request', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-forms-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const spools = (): number => readdirSync(tmpdir()).filter((name) => name.startsWith('moorage-form-')).length

  test(
    'formData of what curl sends: files lie on the disk, are saved, and are gone when it is answered',
    TIMEOUT,
    async () => {
      const big = join(folder, 'big.bin')
      writeFileSync(big, Buffer.alloc(3_000_000, 'x'))
      let spooled = 0
      const before = spools()
      await using server = await serveHttp('http://127.0.0.1:0', async (request) => {
        const form = await request.formData()
        spooled = spools() - before
        const found = form.file('f')
        await found?.saveTo(join(folder, 'saved.bin'))
        let streamed = 0
        for await (const bytes of found?.stream() ?? []) streamed += bytes.length
        return json([
          form.text('a'),
          found?.name,
          found?.size,
          streamed,
          form.getAll('a').length,
          form.file('none') === undefined,
        ])
      })
      const { stdout } = await run('curl', ['-sS', '-F', 'a=1', '-F', `f=@${big}`, '-F', 'a=2', server.endpoint])
      assert.deepEqual(JSON.parse(stdout), ['1', 'big.bin', 3_000_000, 3_000_000, 2, true])
      assert.equal(spooled, 1)
      assert.equal(spools(), before)
      assert.equal(readFileSync(join(folder, 'saved.bin')).length, 3_000_000)
    },
  )
  test('spooled files are gone too when the client left or the form was refused', TIMEOUT, async () => {
    const before = spools()
    let isDone = false
    await using server = await serveHttp('http://127.0.0.1:0', async (request) => {
      try {
        await request.formData()
      } finally {
        isDone = true
      }
      return text('never')
    })
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${MULTIPART}\r\nContent-Length: 1000\r\n\r\n`
    const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
    await connection.write(head + file('f', 'g', 'content'))
    await until('the file', () => spools() > before)
    connection.destroy()
    await until('the end', () => isDone && spools() === before)
    const { stdout } = await run('curl', [
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-H',
      `Content-Type: ${MULTIPART}`,
      '--data-binary',
      file('f', 'g', 'x'),
      server.endpoint,
    ])
    assert.equal(stdout, '400')
    await until('nothing left', () => spools() === before)
  })
  test('a form that is not read as fast as it comes makes the client wait', TIMEOUT, async () => {
    const total = 30_000_000
    let received = 0
    let isReading = false
    let goOn = (): void => undefined
    const waiting = new Promise<void>((resolve) => (goOn = resolve))
    await using server = await serveHttp('http://127.0.0.1:0', async (request) => {
      if (request.path === '/other') return text('')
      for await (const part of request.formParts({ maxFormBytes: 40_000_000, maxFileBytes: 40_000_000 })) {
        if (part.kind !== 'file') continue
        await part.read()
        isReading = true
        await waiting
        for await (const bytes of part) received += bytes.length
      }
      return text(`${received > total / 2}`)
    })
    const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
    const body = file('f', 'g', 'x'.repeat(total)) + END
    const sent = connection.write(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${MULTIPART}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await until('the first bytes', () => isReading)
    // In the time of so many other requests it would all have been taken, if nobody made it wait.
    for (let i = 0; i < 50; i += 1) await (await fetch(`${server.endpoint}/other`)).text()
    assert.ok(connection.bufferedBytes > total / 2, `${connection.bufferedBytes} bytes wait`)
    goOn()
    assert.match(Buffer.from(await within('the answer', readAll(connection))).toString(), /true$/)
    await sent
    await connection.close()
  })
  test(
    'a form may be longer than maxBodyBytes when its options say so, however late it is asked for',
    TIMEOUT,
    async () => {
      await using server = await serveHttp(
        'http://127.0.0.1:0',
        async (request) => {
          await new Promise((resolve) => setImmediate(resolve))
          const form = await request.formData({ maxFormBytes: Number(request.query.get('max')) })
          return text(`${form.text('a')?.length}`)
        },
        { maxBodyBytes: 1000 },
      )
      const value = `a=${'x'.repeat(4998)}`
      const post = (max: number, ...options: readonly string[]): Promise<{ stdout: string }> =>
        run('curl', ['-sS', '-w', ' %{http_code}', ...options, '-d', value, `${server.endpoint}/?max=${max}`])
      for (const options of [[], ['-H', 'Transfer-Encoding: chunked'], ['-H', 'Expect: 100-continue']]) {
        assert.equal((await post(5000, ...options)).stdout, '4998 200')
        assert.match((await post(4999, ...options)).stdout, / 413$/)
      }
    },
  )
})
