import {
  type CreateContext,
  type CreateNow,
  type CreateSession,
  type DisposeSession,
  type EndReason,
  type Hold,
  type RegistryStats,
  SessionRegistry,
  type SessionRegistryOptions,
} from 'session-registry'
import { RedisSessionRegistry, type RedisSessionRegistryOptions } from 'session-registry/redis'
import { expectTypeOf } from 'vitest'

interface Page {
  readonly url: string
  close(): Promise<void>
}

declare function newPage(signal?: AbortSignal): Promise<Page>
declare function newPageNow(): Page

/** Checked by `tsc`, never run: factories that take time, and disposals. */
export async function types(client: RedisSessionRegistryOptions<string[]>['client']): Promise<void> {
  // An asynchronous factory makes values of what its promise fulfils with.
  expectTypeOf(new SessionRegistry({ create: () => newPage() })).toEqualTypeOf<SessionRegistry<Page>>()
  expectTypeOf(new SessionRegistry({ create: async () => newPageNow() })).toEqualTypeOf<
    SessionRegistry<Page>
  >()
  const pages = new SessionRegistry<Page>({
    create: (_id, context) => {
      expectTypeOf(context).toEqualTypeOf<CreateContext>()
      return newPage(context.signal)
    },
    dispose: (page, reason, { signal, archived }) => {
      expectTypeOf(page).toEqualTypeOf<Page>()
      expectTypeOf(reason).toEqualTypeOf<EndReason>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(archived).toEqualTypeOf<boolean>()
      return page.close()
    },
    disposeTimeoutMs: 5_000,
  })
  const options: SessionRegistryOptions<Page> = { dispose: true, disposeTimeoutMs: undefined }
  new SessionRegistry(options)

  // So is that of a call which waits.
  const create = () => newPage()
  expectTypeOf(pages.open('a', { create })).toEqualTypeOf<Promise<Page>>()
  expectTypeOf(pages.run('a', ({ value }) => value.url, { create })).toEqualTypeOf<Promise<string>>()
  expectTypeOf(pages.acquire('a', { create })).toEqualTypeOf<Promise<Hold<Page>>>()
  pages.stream(
    'a',
    async function* ({ value }) {
      yield value.url
    },
    { create },
  )

  // `getOrCreate` takes a synchronous one.
  expectTypeOf(pages.getOrCreate('a', newPageNow)).toEqualTypeOf<Page>()
  // @ts-expect-error: `getOrCreate` cannot wait
  pages.getOrCreate('a', create)
  expectTypeOf<CreateNow<Page>>().toExtend<CreateSession<Page>>()
  expectTypeOf<DisposeSession<Page>>().returns.toEqualTypeOf<unknown>()
  expectTypeOf<Hold<Page>['signal']>().toEqualTypeOf<AbortSignal>()
  expectTypeOf<RegistryStats['disposing']>().toEqualTypeOf<number>()

  // @ts-expect-error: a function or true
  new SessionRegistry<Page>({ dispose: false })
  // @ts-expect-error: a number of milliseconds
  new SessionRegistry<Page>({ disposeTimeoutMs: '5s' })
  // @ts-expect-error: the factory makes another type
  new SessionRegistry<Page>({ create: async () => 'a page' })
  // @ts-expect-error: so does that of a call
  await pages.open('a', { create: async () => 'a page' })

  // On Redis every call waits, and values hold nothing.
  const histories = new RedisSessionRegistry<string[]>({ client, create: async () => [] })
  expectTypeOf(histories.getOrCreate('a', async () => [])).toEqualTypeOf<Promise<string[]>>()
  // @ts-expect-error: values are copies there
  new RedisSessionRegistry<string[]>({ client, dispose: true })
}
