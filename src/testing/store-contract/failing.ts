import { pause } from '../../core/storing/pause.ts'
import { realClock } from '../../core/time/clock.ts'
import { expectEqual, expectRejection, expectThat } from './assertions.ts'
import type { Check } from './check.ts'
import { newSession, nextOf, type StoreUnderTest } from './store-under-test.ts'

/** The longest time in which a call settles after its signal aborts, in milliseconds. */
const soonMs = 5_000

/** The time for which a check watches that nothing more happens, in milliseconds. */
const watchedMs = 150

/** The times of aborts, in milliseconds after the call began. A negative one is before it. */
const abortsAfterMs = [-1, 0, 1, 5]

/** Checks of an abort, a failure and a close. */
export const failing: readonly Check[] = [
  ...abortsAfterMs.flatMap((afterMs): Check[] => [
    {
      name: `put, aborted ${when(afterMs)}: settles soon, and has no effect after that`,
      async run(subject) {
        const first = newSession()
        await subject.keep(first)
        const second = nextOf(first, { text: JSON.stringify('second '.repeat(10_000)) })
        const result = await aborted(afterMs, (signal) => subject.put(second, first.revision, signal))
        const found = await subject.get('ada')
        expectThat(
          found?.revision === first.revision || found?.revision === second.revision,
          'expected one of the two revisions to be stored',
        )
        if (result === true) await subject.expectStored('ada', second, 'after a `put` that succeeded')
        await pause(watchedMs)
        await subject.expectStored('ada', found, 'some time after the `put` has settled')
      },
    },
    {
      name: `delete, aborted ${when(afterMs)}: settles soon, and has no effect after that`,
      async run(subject) {
        const first = newSession()
        await subject.keep(first)
        await aborted(afterMs, (signal) => subject.delete('ada', undefined, signal))
        const second = nextOf(first, { text: 'second' })
        await subject.keep(second)
        await pause(watchedMs)
        await subject.expectStored('ada', second, 'some time after the `delete` has settled')
      },
    },
    {
      name: `get, aborted ${when(afterMs)}: settles soon, and not as a miss`,
      async run(subject) {
        const session = newSession()
        await subject.keep(session)
        const result = await aborted(afterMs, async (signal) => (await subject.get('ada', signal))?.revision)
        if (result !== 'rejected') expectEqual(result, session.revision, 'the revision that was read')
      },
    },
  ]),
  {
    name: 'put after one that was aborted: is what is stored',
    async run(subject) {
      const first = newSession()
      await subject.keep(first)
      await aborted(0, (signal) => subject.put(nextOf(first, { text: 'given up' }), undefined, signal))
      const last = nextOf(first, { text: 'last' })
      await subject.keep(last)
      await pause(watchedMs)
      await subject.expectStored('ada', last, 'after the last `put`')
    },
  },
  {
    name: 'close, if there is one: what is stored is still there, and the store can be used again',
    async run(subject) {
      if (subject.store.close === undefined) return
      const first = newSession()
      await subject.keep(first)
      await subject.store.close()
      await subject.expectStored('ada', first, 'after `close`')
      const second = nextOf(first)
      await subject.keep(second)
      await subject.store.close()
      await subject.store.close()
      await subject.expectStored('ada', second, 'after `close` was called twice')
    },
  },
  ...['ada', 'nobody'].flatMap((id): Check[] => [
    failure(`get of ${named(id)}`, (subject) => subject.get(id)),
    failure(`put of ${named(id)}`, (subject) => subject.put(newSession({ id }))),
    failure(`put of ${named(id)} where none is expected`, (subject) => subject.put(newSession({ id }), null)),
    failure(`put of ${named(id)} over a revision`, (subject) =>
      subject.put(newSession({ id }), 'some-revision'),
    ),
    failure(`delete of ${named(id)}`, (subject) => subject.delete(id)),
    failure(`delete of ${named(id)}, of a revision`, (subject) => subject.delete(id, 'some-revision')),
  ]),
]

function failure(what: string, call: (subject: StoreUnderTest) => Promise<unknown>): Check {
  return {
    name: `${what}, when the back end fails: rejects`,
    needs: 'fail',
    async run(subject, fail) {
      await subject.keep(newSession())
      await fail()
      await expectRejection(call(subject), what)
    },
  }
}

function named(id: string): string {
  return id === 'ada' ? 'a session that is stored' : 'one that is not'
}

function when(afterMs: number): string {
  if (afterMs < 0) return 'before it begins'
  return afterMs === 0 ? 'at once' : `after ${afterMs} ms`
}

/** Calls, and aborts the call. Returns its result, or that it rejected. Throws if it does not settle soon. */
async function aborted<R>(
  afterMs: number,
  call: (signal: AbortSignal) => Promise<R>,
): Promise<R | 'rejected'> {
  const controller = new AbortController()
  if (afterMs < 0) controller.abort()
  const settled = call(controller.signal).catch((): 'rejected' => 'rejected')
  if (afterMs > 0) await pause(afterMs)
  const abortedAt = realClock.now()
  controller.abort()
  const result = await settled
  const tookMs = realClock.now() - abortedAt
  expectThat(
    tookMs <= soonMs,
    `expected the call to settle within ${soonMs} ms after the abort, took ${Math.round(tookMs)}`,
  )
  return result
}
