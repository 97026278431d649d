import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { why } from '#src/cli/commands/why.js'
import { CURL_FLAGS } from '#src/cli/curl/flags.js'
import { REQUEST_OPTIONS } from '#src/cli/request-options.js'
import { inTheirWords, OPTION_WORDS, type Asker } from '#src/client/option-words.js'
import { SESSION_OPTIONS } from '#src/client/session-options.js'
import { templates } from '#src/client/suggestions.js'
import { TLS_CLIENT_OPTIONS } from '#src/transport/tls-options.js'

const FLAGS: Readonly<Record<Exclude<Asker, 'library'>, object>> = {
  request: REQUEST_OPTIONS,
  why: why.options,
  curl: CURL_FLAGS,
}

void suite('suggestions in the words of whoever asks', () => {
  for (const [name, words] of Object.entries(OPTION_WORDS))
    void test(`${name}: each flag and each option is there`, () => {
      const named = /\b(tls\.\w+|[a-z]+(?:[A-Z]\w*)+|decompress)\b/g
      for (const [whole] of (words.library ?? '').matchAll(named)) {
        const isThere = whole.startsWith('tls.') ? whole.slice(4) in TLS_CLIENT_OPTIONS : whole in SESSION_OPTIONS
        assert.ok(isThere, `there is no option ${whole}`)
      }
      for (const [whom, table] of Object.entries(FLAGS)) {
        const told = words[whom as keyof typeof FLAGS] ?? ''
        assert.doesNotMatch(told, named, whom)
        for (const [, flag = ''] of told.matchAll(/--([\w-]+)/g))
          assert.ok(flag in table || flag.replace(/^no-/, '') in table, `${whom} has no --${flag}`)
      }
    })

  void test('every suggestion can be said to each of them, without a gap', () => {
    for (const whom of ['library', 'request', 'why', 'curl'] as const)
      for (const template of templates()) {
        const said = inTheirWords(template, whom)
        assert.doesNotMatch(said, /[[\]{}]|^[,;: ]|[,; ]$|\s{2}/, said)
        if (whom !== 'library') assert.doesNotMatch(said, /\btls\.\w|\w+Ms\b|\bmax[A-Z]|decompress/, said)
      }
  })

  void test('what somebody has no words for is left out', () => {
    assert.equal(inTheirWords('wait[, or raise {maxWaiting}]', 'library'), 'wait, or raise maxWaiting')
    assert.equal(inTheirWords('wait[, or raise {maxWaiting}]', 'curl'), 'wait')
  })
})
