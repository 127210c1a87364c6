import { once } from 'node:events'
import {
  type CloseReport,
  type CurrentSession,
  type EndReason,
  type ExpiryReason,
  type GoneSession,
  type Hold,
  isSessionRegistryError,
  type RegistryStats,
  type Session,
  type SessionErrorCode,
  type SessionFields,
  SessionRegistry,
  type SessionRegistryError,
  type SessionRegistryOptions,
  type SessionSource,
  type SweepSummary,
} from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { expectTypeOf } from 'vitest'

/** Checked by `tsc`, never run: a line marked with `@ts-expect-error` fails if it compiles. */
export async function types(): Promise<void> {
  interface History {
    readonly messages: string[]
  }

  // The type of a value is inferred from the factory, or given.
  expectTypeOf(new SessionRegistry({ create: () => ({ messages: ['hello'] }) })).toEqualTypeOf<
    SessionRegistry<{ messages: string[] }>
  >()
  expectTypeOf(new SessionRegistry<History>()).toEqualTypeOf<SessionRegistry<History>>()
  // An empty literal does not tell what will be in it: its type is given, in one of two places.
  expectTypeOf(new SessionRegistry({ create: () => [] })).toEqualTypeOf<SessionRegistry<never[]>>()
  expectTypeOf(new SessionRegistry({ create: (): string[] => [] })).toEqualTypeOf<SessionRegistry<string[]>>()
  new SessionRegistry<string[]>({ create: () => [] }).getOrCreate('a').push('hello')
  // @ts-expect-error: nothing is a `never`
  new SessionRegistry({ create: () => [] }).getOrCreate('a').push('hello')
  const registry = new SessionRegistry<History>({ create: () => ({ messages: [] }) })

  expectTypeOf(registry.getOrCreate('a')).toEqualTypeOf<History>()
  expectTypeOf(
    registry.getOrCreate('a', (id) => ({ messages: [id] }), { timeoutMs: 5 }),
  ).toEqualTypeOf<History>()
  expectTypeOf(registry.get('a')).toEqualTypeOf<History | undefined>()
  expectTypeOf(registry.set('a', { messages: [] })).toEqualTypeOf<SessionRegistry<History>>()
  expectTypeOf(registry.touch('a')).toEqualTypeOf<boolean>()
  expectTypeOf(registry.peek('a')).toEqualTypeOf<Session<History> | undefined>()
  expectTypeOf(registry.has('a')).toEqualTypeOf<boolean>()
  expectTypeOf(registry.delete('a')).toEqualTypeOf<boolean>()
  expectTypeOf(registry.clear()).toEqualTypeOf<number>()
  expectTypeOf(registry.sweep()).toEqualTypeOf<number>()
  expectTypeOf(registry.size).toEqualTypeOf<number>()
  expectTypeOf(registry.stats()).toEqualTypeOf<RegistryStats>()
  expectTypeOf([...registry.keys()]).toEqualTypeOf<string[]>()
  expectTypeOf([...registry.values()]).toEqualTypeOf<History[]>()
  expectTypeOf([...registry.sessions()]).toEqualTypeOf<Session<History>[]>()
  for (const [id, value] of registry) {
    expectTypeOf(id).toEqualTypeOf<string>()
    expectTypeOf(value).toEqualTypeOf<History>()
  }
  expectTypeOf(registry.open('a')).toEqualTypeOf<Promise<History>>()
  expectTypeOf(registry.open('a', { create: false })).toEqualTypeOf<Promise<History | undefined>>()
  expectTypeOf(registry.open('a', { create: () => ({ messages: [] }) })).toEqualTypeOf<Promise<History>>()
  expectTypeOf(registry.current()).toEqualTypeOf<CurrentSession | undefined>()
  expectTypeOf(
    registry.stream('a', async function* (session) {
      yield session.value.messages.length
    }),
  ).toEqualTypeOf<AsyncGenerator<number, unknown, undefined>>()
  expectTypeOf(registry.acquire('a')).toEqualTypeOf<Promise<Hold<History>>>()
  expectTypeOf(registry.acquire('a', { create: false })).toEqualTypeOf<Promise<Hold<History> | undefined>>()
  expectTypeOf(registry.hold('a')).toEqualTypeOf<Hold<History> | undefined>()
  expectTypeOf(registry.close({ deadlineMs: 5 })).toEqualTypeOf<Promise<CloseReport<History>>>()
  {
    using hold = registry.hold('a')
    expectTypeOf(hold).toEqualTypeOf<Hold<History> | undefined>()
    await using closing = registry
    expectTypeOf(closing).toEqualTypeOf<SessionRegistry<History>>()
  }

  // @ts-expect-error: the value has another type
  registry.set('a', ['hello'])
  // @ts-expect-error: the factory makes another type
  registry.getOrCreate('a', () => 5)
  // @ts-expect-error: a factory is synchronous
  registry.getOrCreate('a', async () => ({ messages: [] }))
  // @ts-expect-error: an id is a string
  registry.get(5)
  // @ts-expect-error: there is no such option
  registry.set('a', { messages: [] }, { ttl: 5 })

  // `run` resolves with the result of the turn; with `create: false` perhaps with undefined.
  expectTypeOf(registry.run('a', ({ value }) => value.messages.length)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(registry.run('a', async ({ value }) => value)).toEqualTypeOf<Promise<History>>()
  expectTypeOf(registry.run('a', () => 5, { create: false })).toEqualTypeOf<Promise<number | undefined>>()
  expectTypeOf(registry.run('a', () => 5, { create: true, whenBusy: 'join' })).toEqualTypeOf<
    Promise<number>
  >()
  await registry.run('a', (session, signal) => {
    expectTypeOf(session).toEqualTypeOf<Session<History>>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
  })
  // @ts-expect-error: there is no such way
  await registry.run('a', () => 5, { whenBusy: 'later' })

  // Events have their arguments.
  registry.on('created', (...args) => expectTypeOf(args).toEqualTypeOf<[session: Session<History>]>())
  registry.on('expired', (_session, reason) => expectTypeOf(reason).toEqualTypeOf<ExpiryReason>())
  registry.once('ended', (_session, reason) => expectTypeOf(reason).toEqualTypeOf<EndReason>())
  registry.on('swept', (summary) => expectTypeOf(summary).toEqualTypeOf<SweepSummary>())
  registry.on('error', (error) => expectTypeOf(error).toEqualTypeOf<unknown>())
  // @ts-expect-error: `created` has no reason
  registry.on('created', (session, reason) => void [session, reason])
  await once(registry, 'expired')
  for (const name of ['expired', 'ended'] as const) {
    registry.on(name, (one, reason) => {
      expectTypeOf(one).toEqualTypeOf<Session<History>>()
      expectTypeOf(reason).toEqualTypeOf<EndReason>()
    })
  }
  // @ts-expect-error: there is no such event
  registry.on('gone', () => {})

  // A timeout that is assigned may be undefined; one that is read is a number.
  const session = registry.peek('a')
  if (session !== undefined) {
    session.timeoutMs = undefined
    session.timeoutMs = Number.POSITIVE_INFINITY
    expectTypeOf(session.timeoutMs).toEqualTypeOf<number>()
    session.value = { messages: [] }
    // @ts-expect-error: an id never changes
    session.id = 'b'
    // @ts-expect-error: times are read-only
    session.createdAt = 5
  }

  // Adapters take any registry by its narrow interface.
  const source: SessionSource<History> = registry
  expectTypeOf(source.peek('a')).toEqualTypeOf<
    Session<History> | undefined | Promise<Session<History> | undefined>
  >()
  expectTypeOf(source.run('a', () => 5, { create: false })).toEqualTypeOf<Promise<number | undefined>>()
  expectTypeOf(source.whyGone('a', { owner: 'ada' })).toEqualTypeOf<
    GoneSession | undefined | Promise<GoneSession | undefined>
  >()
  expectTypeOf(registry.whyGone('a')).toEqualTypeOf<GoneSession | undefined>()
  // @ts-expect-error: of another value
  source satisfies SessionSource<string>

  expectTypeOf(registry.replace('a', { messages: [] })).toEqualTypeOf<typeof registry>()
  expectTypeOf(registry.state).toEqualTypeOf<'open' | 'closing' | 'closed'>()
  expectTypeOf(registry.settled()).toEqualTypeOf<Promise<void>>()
  expectTypeOf(registry.ref('a')).toEqualTypeOf<string>()
  expectTypeOf(registry.peek('a')?.toJSON()).toEqualTypeOf<SessionFields<History> | undefined>()
  expectTypeOf(SessionRegistry.shared('key', () => registry)).toEqualTypeOf<SessionRegistry<History>>()

  // Options: explicit undefined is the default, wrong types are refused.
  const options: SessionRegistryOptions<History> = {
    timeoutMs: undefined,
    maxSessions: Number.POSITIVE_INFINITY,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    logIds: (id) => id.slice(0, 4),
    clock: new ManualClock(),
    load: async (_id, { signal }) => (signal.aborted ? undefined : { messages: [] }),
    archive: ({ value }, reason, { attempt }) => [value.messages, reason, attempt],
    copyIds: true,
  }
  new SessionRegistry(options)
  // @ts-expect-error: null is no default
  new SessionRegistry({ timeoutMs: null })
  // @ts-expect-error: a number of milliseconds
  new SessionRegistry({ timeoutMs: '20m' })
  // @ts-expect-error: no such word
  new SessionRegistry({ whenFull: 'drop' })
  // @ts-expect-error: half a logger
  new SessionRegistry({ logger: { info() {} } })
  // @ts-expect-error: half a clock
  new SessionRegistry({ clock: { now: () => 0 } })
  // @ts-expect-error: no such option
  new SessionRegistry({ ttl: 5 })

  // Errors: codes are a closed union, and a check for one narrows.
  const error: unknown = undefined
  if (isSessionRegistryError(error)) expectTypeOf(error.code).toEqualTypeOf<SessionErrorCode>()
  if (isSessionRegistryError(error, 'ERR_SESSION_BUSY')) {
    expectTypeOf(error).toExtend<SessionRegistryError>()
    expectTypeOf(error.code).toEqualTypeOf<'ERR_SESSION_BUSY'>()
  }
  // @ts-expect-error: no such code
  isSessionRegistryError(error, 'ERR_SESSION_BORED')
}
