import {
  type AcquireOptions,
  type CreateSession,
  type Hold,
  type HoldOptions,
  type OpenOptions,
  type RunOptions,
  type Session,
  SessionRegistry,
  SessionRegistryError,
  type SessionSource,
  type StreamTurn,
  type Turn,
} from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { expectTypeOf } from 'vitest'

interface History {
  readonly messages: string[]
}

/** Checked by `tsc`, never run: a line marked with `@ts-expect-error` fails if it compiles. */
export async function types(registry: SessionRegistry<History>, lists: SessionRegistry<string[]>) {
  // A factory of one call makes what the registry holds.
  expectTypeOf(lists.run('a', ({ value }) => value.length, { create: () => [] })).toEqualTypeOf<
    Promise<number>
  >()
  expectTypeOf(lists.open('a', { create: (id) => [id] })).toEqualTypeOf<Promise<string[]>>()
  expectTypeOf(lists.acquire('a', { create: () => [] })).toEqualTypeOf<Promise<Hold<string[]>>>()
  // @ts-expect-error: it makes something else
  await lists.run('a', () => 5, { create: () => 5 })
  // @ts-expect-error: it makes something else
  await lists.open('a', { create: () => ({ messages: [] }) })

  // With `create: false` there may be no session.
  expectTypeOf(registry.open('a', { create: false })).toEqualTypeOf<Promise<History | undefined>>()
  expectTypeOf(registry.open('a', { create: true })).toEqualTypeOf<Promise<History>>()
  expectTypeOf(registry.acquire('a', { create: false })).toEqualTypeOf<Promise<Hold<History> | undefined>>()
  expectTypeOf(registry.acquire('a', { maxMs: 5, signal: AbortSignal.timeout(5) })).toEqualTypeOf<
    Promise<Hold<History>>
  >()

  // A hold has its session.
  using hold = registry.hold('a', { maxMs: Number.POSITIVE_INFINITY })
  expectTypeOf(hold?.session).toEqualTypeOf<Session<History> | undefined>()
  expectTypeOf(hold?.renew()).toEqualTypeOf<boolean | undefined>()
  // @ts-expect-error: milliseconds are a number
  registry.hold('a', { maxMs: '5s' })

  // A stream yields the parts of its turn.
  const stream = registry.stream('a', async function* (session, signal) {
    expectTypeOf(session).toEqualTypeOf<Session<History>>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    yield session.value.messages.length
  })
  expectTypeOf(stream).toEqualTypeOf<AsyncGenerator<number, unknown, undefined>>()
  for await (const part of stream) expectTypeOf(part).toEqualTypeOf<number>()
  // @ts-expect-error: a turn that yields nothing is for `run`
  registry.stream('a', async () => 5)

  // Options that are passed on.
  const options: RunOptions = { whenBusy: 'wait', waitMs: 5, signal: AbortSignal.timeout(5), create: true }
  await registry.run('a', () => 5, options)
  registry.stream('a', async function* () {}, options)
  const opening: OpenOptions = { signal: AbortSignal.timeout(5) }
  await registry.open('a', opening)
  const acquiring: AcquireOptions = { ...opening, maxMs: 5 } satisfies HoldOptions
  await registry.acquire('a', acquiring)
  const making: CreateSession<string[]> = () => []
  await lists.run('a', () => 5, { ...options, create: making })

  // One object is made once for the process.
  expectTypeOf(SessionRegistry.shared('chats', () => registry)).toEqualTypeOf<SessionRegistry<History>>()
  expectTypeOf(registry.set('a', { messages: [] })).toEqualTypeOf<SessionRegistry<History>>()
  expectTypeOf(registry.replace('a', { messages: [] })).toEqualTypeOf<SessionRegistry<History>>()
  expectTypeOf(registry.ref('a')).toEqualTypeOf<string>()
  expectTypeOf(registry.state).toEqualTypeOf<'open' | 'closing' | 'closed'>()
  expectTypeOf(registry.stats().waiting).toEqualTypeOf<number>()

  const error = new SessionRegistryError('ERR_SESSION_QUEUE_FULL', '')
  expectTypeOf(error.statusCode).toEqualTypeOf<number>()
  expectTypeOf(error.status).toEqualTypeOf<number>()
  // @ts-expect-error: it follows from the code
  error.statusCode = 500
}

/** A wrapper of `run`, as people write it around a registry: for a span, a retry or a lock of their own. */
export async function timed<T, R>(
  source: SessionSource<T>,
  id: string,
  turn: Turn<T, R>,
  options?: RunOptions,
): Promise<R> {
  return source.run(id, turn, options)
}

/** The same for a registry of one kind of value, with a factory of the call. */
export function inMemory<T, R>(
  registry: SessionRegistry<T>,
  id: string,
  turn: Turn<T, R>,
  options?: RunOptions<T>,
): Promise<R> {
  return registry.run(id, turn, { waitMs: 1_000, ...options })
}

export function streamed<T, Y>(
  registry: SessionRegistry<T>,
  id: string,
  turn: StreamTurn<T, Y>,
  options?: RunOptions<T>,
): AsyncGenerator<Y> {
  return registry.stream(id, turn, options)
}

/** Either kind of registry is a source. */
export function sources<T>(memory: SessionRegistry<T>, redis: RedisSessionRegistry<T>): SessionSource<T>[] {
  return [memory, redis]
}
