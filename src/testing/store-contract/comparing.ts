import { expectEqual, expectThat } from './assertions.ts'
import type { Check } from './check.ts'
import { newSession, nextOf, type StoreUnderTest } from './store-under-test.ts'

const rivals = 12

async function expectRefused(write: Promise<boolean>, why: string): Promise<void> {
  expectEqual(await write, false, `the result of a \`put\` ${why}`)
}

/** Checks that a write is refused if another revision is stored than it replaces. */
export const comparing: readonly Check[] = [
  {
    name: 'put with `replaces: null`: writes where there is no session',
    needs: 'compares',
    async run(subject) {
      const session = newSession()
      await subject.keep(session, null)
      await subject.expectStored('ada', session, 'after a `put`')
    },
  },
  {
    name: 'put with `replaces: null`: false where another session is stored, and nothing is written',
    needs: 'compares',
    async run(subject) {
      const first = newSession()
      await subject.keep(first, null)
      await expectRefused(subject.put(nextOf(first, { text: 'second' }), null), 'over a session')
      await subject.expectStored('ada', first, 'after a refused `put`')
    },
  },
  {
    name: 'put with `replaces: null`: writes where the session was deleted',
    needs: 'compares',
    async run(subject) {
      const first = newSession()
      await subject.keep(first, null)
      await subject.delete('ada')
      const second = nextOf(first, { text: 'second' })
      await subject.keep(second, null)
      await subject.expectStored('ada', second, 'after the `put`')
    },
  },
  {
    name: 'put with a revision: writes over this revision',
    needs: 'compares',
    async run(subject) {
      const first = newSession({ timeoutMs: 1_000, owner: 'one' })
      await subject.keep(first, null)
      const second = nextOf(first, { text: 'second', timeoutMs: Number.POSITIVE_INFINITY, owner: 'two' })
      await subject.keep(second, first.revision)
      await subject.expectStored('ada', second, 'after the `put`')
    },
  },
  {
    name: 'put with a revision: false over any other one, and nothing is written',
    needs: 'compares',
    async run(subject) {
      const first = newSession({ revision: 'Revision' })
      await subject.keep(first, null)
      for (const other of ['revision', 'Revision ', 'Revisio', '', '%']) {
        await expectRefused(subject.put(nextOf(first, { text: 'second' }), other), 'over another revision')
      }
      await subject.expectStored('ada', first, 'after refused writes')
    },
  },
  {
    name: 'put with a revision: false over a deletion, and nothing is written',
    needs: 'compares',
    async run(subject) {
      const first = newSession()
      await subject.keep(first, null)
      await subject.delete('ada')
      await expectRefused(subject.put(nextOf(first), first.revision), 'over a deletion')
      await subject.expectStored('ada', undefined, 'after a refused `put`')
    },
  },
  {
    name: 'put: of the revision that is stored succeeds again, whatever it replaces',
    needs: 'compares',
    async run(subject) {
      const first = newSession()
      await subject.keep(first, null)
      await subject.keep(first, null)
      const second = nextOf(first, { text: 'second' })
      await subject.keep(second, first.revision)
      await subject.keep(second, first.revision)
      await subject.keep(second)
      await subject.expectStored('ada', second, 'after the repeats')
    },
  },
  {
    name: 'put: a repeat that comes too late is refused',
    needs: 'compares',
    async run(subject) {
      const first = newSession()
      await subject.keep(first, null)
      const second = nextOf(first, { text: 'second' })
      await subject.keep(second, first.revision)
      const third = nextOf(second, { text: 'third' })
      await subject.keep(third, second.revision)
      await expectRefused(subject.put(second, first.revision), 'of a revision that was replaced')
      await expectRefused(subject.put(first, null), 'of a revision that was replaced')
      await subject.expectStored('ada', third, 'after the late repeats')
    },
  },
  {
    name: 'put with `replaces: undefined`: overwrites whatever is stored',
    async run(subject) {
      const first = newSession()
      await subject.keep(first)
      const second = newSession({ text: 'second' })
      await subject.keep(second)
      await subject.expectStored('ada', second, 'after the second `put`')
    },
  },
  {
    name: 'delete with a revision: deletes this revision',
    needs: 'compares',
    async run(subject) {
      const first = newSession()
      await subject.keep(first)
      await subject.delete('ada', first.revision)
      await subject.expectStored('ada', undefined, 'after the `delete`')
    },
  },
  {
    name: 'delete with a revision: leaves any other one',
    needs: 'compares',
    async run(subject) {
      const first = newSession()
      await subject.keep(first)
      const second = nextOf(first)
      await subject.keep(second)
      await subject.delete('ada', first.revision)
      await subject.expectStored('ada', second, 'after a `delete` of a revision that was replaced')
    },
  },
  {
    name: 'put at once with `replaces: null`: exactly one is written',
    needs: 'compares',
    async run(subject) {
      const sessions = Array.from({ length: rivals }, (_, index) => newSession({ text: `${index}` }))
      const results = await Promise.all(sessions.map((session) => subject.put(session, null)))
      await expectOneWinner(subject, sessions, results)
    },
  },
  {
    name: 'put at once over one revision: exactly one is written',
    needs: 'compares',
    async run(subject) {
      const first = newSession()
      await subject.keep(first, null)
      const sessions = Array.from({ length: rivals }, (_, index) => nextOf(first, { text: `${index}` }))
      const results = await Promise.all(sessions.map((session) => subject.put(session, first.revision)))
      await expectOneWinner(subject, sessions, results)
    },
  },
  {
    name: 'put and delete at once: what was deleted is written by none that replaces it',
    needs: 'compares',
    async run(subject) {
      for (let round = 0; round < 10; round += 1) {
        const first = newSession({ id: `visitor ${round}` })
        await subject.keep(first, null)
        const second = nextOf(first, { text: 'second' })
        const [isWritten] = await Promise.all([
          subject.put(second, first.revision),
          subject.delete(first.id, first.revision),
        ])
        await subject.expectStored(
          first.id,
          isWritten ? second : undefined,
          `after a \`put\` that was ${isWritten ? '' : 'not '}written`,
        )
      }
    },
  },
  {
    name: 'put: rivals that read, change and try again lose nothing',
    needs: 'compares',
    async run(subject) {
      const [writers, rounds] = [4, 8]
      await subject.keep(newSession({ text: '[]' }), null)
      const write = async (writer: number) => {
        for (let round = 0; round < rounds; round += 1) await append(subject, `${writer}.${round}`)
      }
      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
      const entries: string[] = JSON.parse((await subject.get('ada'))?.text ?? '[]')
      expectThat(
        new Set(entries).size === writers * rounds && entries.length === writers * rounds,
        `expected each of ${writers * rounds} acknowledged changes once, got ${entries.length}, ${new Set(entries).size} of them different`,
      )
    },
  },
]

async function append(subject: StoreUnderTest, entry: string): Promise<void> {
  for (;;) {
    const found = await subject.get('ada')
    expectThat(found !== undefined, 'expected the session to be there all the time')
    const text = JSON.stringify([...JSON.parse(found.text), entry])
    if (await subject.put(nextOf(found, { text }), found.revision)) return
  }
}

async function expectOneWinner(
  subject: StoreUnderTest,
  sessions: readonly ReturnType<typeof newSession>[],
  results: readonly boolean[],
): Promise<void> {
  expectEqual(
    results.filter((isWritten) => isWritten === true).length,
    1,
    'the number of writes that succeeded',
  )
  expectEqual(
    results.filter((isWritten) => isWritten === false).length,
    results.length - 1,
    'the number that were refused',
  )
  await subject.expectStored('ada', sessions[results.indexOf(true)], 'after the race')
}
