import { expectEqual, expectThat } from './assertions.ts'
import type { Check } from './check.ts'
import { awkwardTexts } from './keeping.ts'
import { newSession, nextOf, type StoreUnderTest } from './store-under-test.ts'

const moment = 1_764_000_000_000

/** Checks that old sessions are deleted, each in one step. */
export const pruning: readonly Check[] = [
  {
    name: 'prune, if there is one: deletes what was last active before the moment, and returns the ids',
    async run(subject) {
      if (subject.store.prune === undefined) return
      const ages = [-100_000, -1, -0.5, 0, 0.5, 1, 100_000]
      const sessions = ages.map((age, index) =>
        newSession({ id: `visitor ${index}`, lastActiveAt: moment + age }),
      )
      for (const session of sessions) await subject.keep(session)
      const ids = await prune(subject, 100)
      expectEqual(ids.toSorted(), ['visitor 0', 'visitor 1', 'visitor 2'], 'the pruned ids')
      for (const [index, session] of sessions.entries()) {
        await subject.expectStored(
          session.id,
          index < 3 ? undefined : session,
          `for an age of ${ages[index]} ms`,
        )
      }
      expectEqual(await prune(subject, 100), [], 'what is left to prune')
    },
  },
  {
    name: 'prune, if there is one: goes by the last write of a session',
    async run(subject) {
      if (subject.store.prune === undefined) return
      const first = newSession({ lastActiveAt: moment - 1_000 })
      await subject.keep(first)
      const second = nextOf(first, { lastActiveAt: moment + 1_000 })
      await subject.keep(second)
      expectEqual(await prune(subject, 100), [], 'the pruned ids')
      await subject.expectStored('ada', second, 'after pruning')
    },
  },
  {
    name: 'prune, if there is one: deletes as many as the limit says',
    async run(subject) {
      if (subject.store.prune === undefined) return
      const ids = Array.from({ length: 10 }, (_, index) => `visitor ${index}`)
      for (const [index, id] of ids.entries())
        await subject.keep(newSession({ id, lastActiveAt: moment - 1_000 + index }))
      const pruned: string[][] = []
      for (let call = 0; call < 4; call += 1) pruned.push(await prune(subject, 4))
      expectEqual(
        pruned.map(({ length }) => length),
        [4, 4, 2, 0],
        'the numbers of ids',
      )
      expectEqual(pruned.flat().toSorted(), ids.toSorted(), 'the ids of all calls')
      for (const id of ids) await subject.expectStored(id, undefined, 'after all was pruned')
    },
  },
  {
    name: 'prune, if there is one: returns every id as it is',
    async run(subject) {
      if (subject.store.prune === undefined) return
      for (const id of awkwardTexts) await subject.keep(newSession({ id, lastActiveAt: moment - 1 }))
      const ids = await prune(subject, 1_000)
      expectEqual(ids.toSorted(), awkwardTexts.toSorted(), 'the pruned ids')
    },
  },
  {
    name: 'prune at once, if there is one: each id is returned once',
    async run(subject) {
      if (subject.store.prune === undefined) return
      const ids = Array.from({ length: 12 }, (_, index) => `visitor ${index}`)
      for (const id of ids) await subject.keep(newSession({ id, lastActiveAt: moment - 1_000 }))
      const pruned = await Promise.all([prune(subject, 100), prune(subject, 100), prune(subject, 100)])
      const rest = await prune(subject, 100)
      expectEqual([...pruned.flat(), ...rest].toSorted(), ids.toSorted(), 'the ids of all calls')
    },
  },
  {
    name: 'prune beside writes, if there is one: deletes nothing that was written in time',
    async run(subject) {
      if (subject.store.prune === undefined) return
      for (let round = 0; round < 5; round += 1) {
        const sessions = Array.from({ length: 6 }, (_, index) =>
          newSession({ id: `visitor ${round}.${index}`, lastActiveAt: moment - 1_000 }),
        )
        for (const session of sessions) await subject.keep(session)
        const fresh = sessions.map((session) => nextOf(session, { lastActiveAt: moment + 1_000 }))
        const [pruned] = await Promise.all([
          prune(subject, 100),
          ...fresh.map((session) => subject.keep(session)),
        ])
        for (const session of fresh)
          await subject.expectStored(session.id, session, 'after a `put` beside a `prune`')
        const strangers = pruned.filter((id) => !sessions.some((session) => session.id === id))
        expectThat(
          strangers.length === 0,
          `expected only the ids of this round to be pruned, got ${strangers.length} others`,
        )
        for (const { id } of fresh) await subject.delete(id)
      }
    },
  },
]

/** Checks of the sessions of an owner. */
export const owning: readonly Check[] = [
  {
    name: 'owned, if there is one: the ids of the owner, and of no other one',
    async run(subject) {
      if (subject.store.owned === undefined) return
      for (const [index, owner] of awkwardTexts.entries()) {
        await subject.keep(newSession({ id: `visitor ${index}`, owner }))
        await subject.keep(newSession({ id: owner, owner }))
      }
      await subject.keep(newSession({ id: 'of no one' }))
      for (const [index, owner] of awkwardTexts.entries()) {
        const ids = await subject.store.owned(owner)
        expectEqual(
          ids.toSorted(),
          [`visitor ${index}`, owner].toSorted(),
          `the ids of owner ${index} of the list`,
        )
      }
      expectEqual(await subject.store.owned('nobody'), [], 'the ids of an owner that has none')
    },
  },
  {
    name: 'owned, if there is one: goes by what is stored now',
    async run(subject) {
      if (subject.store.owned === undefined) return
      const first = newSession({ owner: 'one' })
      await subject.keep(first)
      await subject.keep(newSession({ id: 'bob', owner: 'one' }))
      await subject.keep(nextOf(first, { owner: 'two' }))
      expectEqual(await subject.store.owned('one'), ['bob'], 'the ids of the owner that lost one')
      expectEqual(await subject.store.owned('two'), ['ada'], 'the ids of the owner that got one')
      const { owner: _, ...ownerless } = nextOf(first)
      await subject.keep(ownerless)
      await subject.delete('bob')
      expectEqual(await subject.store.owned('one'), [], 'the ids after a `delete`')
      expectEqual(await subject.store.owned('two'), [], 'the ids after the owner was taken away')
    },
  },
]

async function prune(subject: StoreUnderTest, limit: number): Promise<string[]> {
  const ids = await subject.store.prune?.(moment, limit)
  expectThat(Array.isArray(ids), 'expected `prune` to return an array of ids')
  return ids
}
