import { SessionRegistry, type SessionRegistryOptions, type SessionSource } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { EventRecorder } from '../support/event-recorder.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'

/**
 * One session as its adapter shows it. What a write does to the messages before it is the adapter's own
 * matter.
 */
interface Conversation<M> {
  read(): Promise<M[]>
  write(messages: M[]): Promise<unknown>
}

/** What an adapter brings along so that the suite can try it. */
export interface AdapterHarness<M> {
  conversation(source: SessionSource<M[]>, id: string | number | bigint): Conversation<M>
  message(text: string): M
  textOf(message: M): string
  /** Changes the text within a message, as deep down as it is. */
  change(message: M, text: string): void
  /** What the framework would not take for a message either. */
  readonly nonsense: readonly unknown[]
}

const timeoutMs = 60_000

/** What every adapter promises that keeps a list of messages per session. */
export function describeAdapter<M>(name: string, harness: AdapterHarness<M>): void {
  const { conversation, message, textOf } = harness

  function make(options: SessionRegistryOptions<M[]> = {}) {
    const clock = new ManualClock()
    const registry = new SessionRegistry<M[]>({ clock, timeoutMs, create: () => [], ...options })
    const texts = () => registry.peek('a')?.value.map(textOf)
    return {
      clock,
      registry,
      events: new EventRecorder<M[]>(registry),
      ada: conversation(registry, 'a'),
      texts,
    }
  }

  describe(name, () => {
    it('reads: without a session, return nothing and create none', async () => {
      const { registry, events, ada } = make()

      expect(await ada.read()).toEqual([])
      expect(registry.size).toBe(0)
      expect(events.lines).toEqual([])
    })

    it('first write: creates the session', async () => {
      const { events, ada, texts } = make()
      await ada.write([message('hello'), message('again')])

      expect(texts()).toEqual(['hello', 'again'])
      expect((await ada.read()).map(textOf)).toEqual(['hello', 'again'])
      expect(events.lines).toEqual(['created a'])
    })

    it('look-up at each call: one kept across an expiry writes into the live session', async () => {
      const { clock, events, ada, texts } = make()
      await ada.write([message('old')])
      clock.advance(timeoutMs)

      expect(await ada.read()).toEqual([])
      await ada.write([message('new')])
      expect(texts()).toEqual(['new'])
      expect((await ada.read()).map(textOf)).toEqual(['new'])
      expect(events.lines).toEqual(['created a', 'expired a idle', 'ended a idle', 'created a'])
    })

    it('archived session: is loaded again, by a read too', async () => {
      const { clock, registry, ada } = make({ load: async () => [message('archived')] })

      expect((await ada.read()).map(textOf)).toEqual(['archived'])
      clock.advance(timeoutMs)
      expect((await ada.read()).map(textOf)).toEqual(['archived'])
      expect(registry.stats().loaded).toBe(2)
    })

    it('several messages: are written in one step', async () => {
      const { ada, texts } = make()
      const first = ['a1', 'a2', 'a3']
      const second = ['b1', 'b2', 'b3']
      await Promise.all([ada.write(first.map(message)), ada.write(second.map(message))])

      expect(texts()?.slice(-3)).toEqual(second)
      expect([[], first]).toContainEqual(texts()?.slice(0, -3))
    })

    it('reads: run beside a running turn, and see the last write', async () => {
      const { registry, ada } = make()
      const finished = deferred()
      const turn = registry.run('a', async (session) => {
        session.value.push(message('so far'))
        await finished.promise
      })

      expect((await ada.read()).map(textOf)).toEqual(['so far'])
      finished.resolve()
      await turn
    })

    it('reads: are activity', async () => {
      const { clock, registry, ada } = make()
      await ada.write([message('hello')])
      clock.advance(timeoutMs - 1)
      await ada.read()
      clock.advance(timeoutMs - 1)
      expect(registry.has('a')).toBe(true)
      clock.advance(1)
      expect(registry.has('a')).toBe(false)
    })

    it('writes: come after the running turn, and before the next one', async () => {
      const { registry, ada, texts } = make()
      const finished = deferred()
      const turn = registry.run('a', async (session) => {
        await finished.promise
        session.value = [...session.value, message('turn')]
      })
      const written = observe(ada.write([message('written')]))
      const seen = registry.run('a', ({ value }) => value.map(textOf))
      await settle()
      expect(written.state).toBe('pending')
      expect(texts()).toEqual([])
      finished.resolve()
      await turn

      expect((await seen).at(-1)).toBe('written')
      expect(written.state).toBe('fulfilled')
    })

    it('inside a turn: joins it, ahead of waiting turns', async () => {
      const { registry, ada } = make()
      const turn = registry.run('a', async () => {
        await Promise.resolve()
        await ada.write([message('inside')])
        return (await ada.read()).map(textOf)
      })
      const next = registry.run('a', ({ value }) => value.map(textOf))

      expect(await turn).toEqual(['inside'])
      expect(await next).toEqual(['inside'])
    })

    it('results: are copies', async () => {
      const { ada, texts } = make()
      await ada.write([message('mine')])
      const read = await ada.read()
      for (const one of read) harness.change(one, 'changed')
      read.push(message('added'))

      expect(texts()).toEqual(['mine'])
      expect((await ada.read()).map(textOf)).toEqual(['mine'])
    })

    it('arguments: are copied at the call', async () => {
      const { ada, texts } = make()
      const given = [message('mine')]
      const written = ada.write(given)
      for (const one of given) harness.change(one, 'changed')
      given.push(message('added'))
      await written

      expect(texts()).toEqual(['mine'])
    })

    it.each([
      ['zero', 0, '0'],
      ['a negative integer', -7, '-7'],
      ['the greatest safe integer', Number.MAX_SAFE_INTEGER, '9007199254740991'],
      ['a bigint', 653247040368672779n, '653247040368672779'],
    ])('id: %s becomes its string', async (_what, id, key) => {
      const { registry } = make()
      await conversation(registry, id).write([message('mine')])

      expect([...registry.keys()]).toEqual([key])
      expect((await conversation(registry, key).read()).map(textOf)).toEqual(['mine'])
    })

    it('id: two bigints stay apart that are one number', async () => {
      const { registry } = make()
      const [ada, bob] = [653247040368672768n, 653247040368672779n]
      expect(Number(ada)).toBe(Number(bob))
      await conversation(registry, ada).write([message('of ada')])

      expect(await conversation(registry, bob).read()).toEqual([])
    })

    it.each([
      ['missing', undefined],
      ['null', null],
      ['empty', ''],
      ['too long', 'x'.repeat(1025)],
      ['NaN', Number.NaN],
      ['infinite', Number.POSITIVE_INFINITY],
      ['a fraction', 7.5],
      ['an integer that has neighbours of the same number', 2 ** 53],
      ['a bigint that is too long', 10n ** 1025n],
      ['an object', {}],
      ['true', true],
    ])('id: %s is refused', async (_what, id) => {
      const { registry } = make()
      const refused = sessionError('ERR_SESSION_ID_INVALID')

      expect(await failureOf(() => conversation(registry, id as string).read())).toEqual(refused)
      expect(await failureOf(() => conversation(registry, id as string).write([message('no')]))).toEqual(
        refused,
      )
      expect(registry.size).toBe(0)
    })

    it.each(harness.nonsense.map((what) => [what]))(
      'message: %j is refused, and nothing of the same call is stored',
      async (what) => {
        const { registry, events, ada } = make()
        const error = await failureOf(() => ada.write([message('before'), what as M]))

        expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
        expect((error as Error).message).toMatch(/^Expected /)
        expect((error as Error).message).not.toContain('secret')
        expect(registry.size).toBe(0)
        expect(events.lines).toEqual([])
      },
    )

    it('messages: anything but a list is refused', async () => {
      const { registry, ada } = make()
      for (const what of [undefined, null, 'secret', 7, message('alone')]) {
        expect(await failureOf(() => ada.write(what as M[]))).toEqual(
          sessionError('ERR_SESSION_VALUE_INVALID'),
        )
      }
      expect(registry.size).toBe(0)
    })
  })
}
