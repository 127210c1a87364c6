import type { StoredSession } from '../../core/store.ts'
import { expectEqual, expectThat } from './assertions.ts'
import type { Check } from './check.ts'
import { newSession, nextOf } from './store-under-test.ts'

/** Ids and owners that file systems, databases or key-value libraries confuse or refuse. */
export const awkwardTexts: readonly string[] = [
  'ada',
  'Ada',
  'ada ',
  ' ada',
  'ad',
  'ada:1',
  'ada/1',
  'ada\\1',
  'ada?1',
  'ada$',
  'ada.json',
  'ada%00',
  '../ada',
  '.',
  '..',
  '/',
  'con',
  'a\'b"c;--',
  '%',
  '_',
  '__proto__',
  'constructor',
  '\0',
  'a\0b',
  'a\0c',
  'a',
  '\ud800',
  '\ud801',
  '\udc00x',
  'é',
  'e\u0301',
  '👩‍🚀',
  '\n',
  ' ',
  '0',
  'null',
  'undefined',
  '{"id":"ada"}',
  '語'.repeat(1024),
  `${'語'.repeat(1023)}誤`,
  'x'.repeat(1024),
  `${'x'.repeat(1023)}y`,
]

const texts: Readonly<Record<string, string>> = {
  'an empty text': '',
  'a text that is not JSON': 'hello',
  'a number': '123',
  'the word null': 'null',
  'an object with a key that is a prototype': '{"__proto__":{"a":1}}',
  'quotes, backslashes and line ends': '"\\"\\\\\r\n\t\u2028\u2029"',
  emoji: '"👩‍🚀 語 é e\u0301"',
  'an escaped U+0000 and an escaped surrogate': '"\\u0000 \\ud800"',
  'spaces around it': '  {"a":1}  ',
  'a megabyte': JSON.stringify('history '.repeat(128 * 1024)),
}

const damagedByDatabases: Readonly<Record<string, string>> = {
  'U+0000': '"a\0b"',
  'a lone surrogate': '"a\ud800b"',
}

/** Checks that what is put is stored exactly. */
export const keeping: readonly Check[] = [
  {
    name: 'get: undefined for an id that was never put',
    async run(subject) {
      expectEqual(await subject.get('nobody'), undefined, 'the result of `get`')
    },
  },
  {
    name: 'put: true, and get returns every field',
    async run(subject) {
      const session = newSession({ timeoutMs: 5_000, owner: 'Ada Lovelace' })
      await subject.keep(session)
      await subject.expectStored('ada', session, 'after a `put`')
    },
  },
  {
    name: 'put: a session without a timeout or an owner has none when it is read',
    async run(subject) {
      const session = newSession()
      await subject.keep(session)
      const found = await subject.get('ada')
      expectThat(found !== undefined, 'expected `get` to find what was put')
      expectEqual([found.timeoutMs, found.owner], [undefined, undefined], '`timeoutMs` and `owner`')
    },
  },
  {
    name: 'put: replaces the whole session, timeout and owner too',
    async run(subject) {
      const first = newSession({ timeoutMs: 5_000, owner: 'one' })
      await subject.keep(first)
      const {
        timeoutMs: _,
        owner: __,
        ...rest
      } = nextOf(first, { text: '["hello","again"]', lastActiveAt: 1_764_000_400_000 })
      await subject.keep(rest)
      await subject.expectStored('ada', rest, 'after a second `put`')
    },
  },
  {
    name: 'put: keeps infinite, fractional and very long timeouts, and fractional times',
    async run(subject) {
      let session: StoredSession = newSession({
        createdAt: 1_764_000_000_123.625,
        lastActiveAt: 1_764_000_000_124.375,
      })
      for (const timeoutMs of [Number.POSITIVE_INFINITY, 0.5, 1, 2 ** 31, 2 ** 53 - 1]) {
        session = nextOf(session, { timeoutMs })
        await subject.keep(session)
        await subject.expectStored('ada', session, `with a timeout of ${timeoutMs}`)
      }
    },
  },
  ...Object.entries(texts).map(
    ([name, text]): Check => ({
      name: `put: keeps every text as it is: ${name}`,
      async run(subject) {
        const session = newSession({ text })
        await subject.keep(session)
        await subject.expectStored('ada', session, 'after a `put`')
      },
    }),
  ),
  ...Object.entries(damagedByDatabases).map(
    ([name, text]): Check => ({
      name: `put: keeps a text as it is, or refuses it and writes nothing: ${name}`,
      async run(subject) {
        const session = newSession({ text })
        const isKept = await subject.put(session).catch(() => false)
        await subject.expectStored(
          'ada',
          isKept ? session : undefined,
          `after a \`put\` that ${isKept ? 'fulfilled' : 'rejected'}`,
        )
      },
    }),
  ),
  {
    name: 'ids: every one is a session of its own, whatever it contains and however alike it is to another',
    async run(subject) {
      const sessions = awkwardTexts.map((id, index) => newSession({ id, text: `${index}` }))
      for (const session of sessions) await subject.keep(session)
      for (const [index, session] of sessions.entries()) {
        await subject.expectStored(session.id, session, `under id ${index} of the list of awkward ids`)
      }
      for (const [index, session] of sessions.entries()) {
        await subject.delete(session.id)
        await subject.expectStored(session.id, undefined, `after a \`delete\` of id ${index}`)
        const next = sessions[index + 1]
        if (next !== undefined)
          await subject.expectStored(next.id, next, `beside id ${index}, which was deleted`)
      }
    },
  },
  {
    name: 'delete: the session is gone, and can be put again',
    async run(subject) {
      await subject.keep(newSession())
      await subject.delete('ada')
      await subject.expectStored('ada', undefined, 'after a `delete`')
      const again = newSession({ text: 'again' })
      await subject.keep(again)
      await subject.expectStored('ada', again, 'after another `put`')
    },
  },
  {
    name: 'delete: fulfils where there is no session, with an expected revision too',
    async run(subject) {
      await subject.delete('nobody')
      await subject.delete('nobody', 'some-revision')
      await subject.expectStored('nobody', undefined, 'after a `delete`')
    },
  },
  {
    name: 'calls side by side: those of different sessions do not disturb each other',
    async run(subject) {
      const sessions = Array.from({ length: 20 }, (_, index) =>
        newSession({ id: `visitor ${index}`, text: `${index}` }),
      )
      await Promise.all(sessions.map((session) => subject.keep(session, undefined)))
      const found = await Promise.all(sessions.map(({ id }) => subject.get(id)))
      expectEqual(
        found.map((one) => one?.text),
        sessions.map(({ text }) => text),
        'the texts',
      )
      await Promise.all(sessions.slice(0, 10).map(({ id }) => subject.delete(id)))
      for (const [index, session] of sessions.entries()) {
        await subject.expectStored(
          session.id,
          index < 10 ? undefined : session,
          'after half of them were deleted',
        )
      }
    },
  },
  {
    name: 'put: of several at once of one session, one is stored as a whole',
    async run(subject) {
      const sessions = Array.from({ length: 10 }, (_, index) =>
        newSession({ text: JSON.stringify(`${index}`.repeat(20_000)) }),
      )
      await Promise.all(sessions.map((session) => subject.keep(session, undefined)))
      const found = await subject.get('ada')
      const written = sessions.find(({ revision }) => revision === found?.revision)
      expectThat(written !== undefined, 'expected one of the revisions that were put to be stored')
      await subject.expectStored('ada', written, 'after ten writes at once')
    },
  },
]
