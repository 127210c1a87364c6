import { expect, it } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { observe } from '../support/observed-promise.ts'
import { failureOf, sessionError } from '../support/session-error.ts'
import {
  type ContractHarness,
  type ContractOptions,
  type ContractRegistry,
  collect,
  eventually,
} from './harness.ts'

const notOwner = sessionError('ERR_SESSION_NOT_OWNER')
const optionInvalid = sessionError('ERR_SESSION_OPTION_INVALID')

async function* emptyStream(): AsyncGenerator<never> {}

type Call = (registry: ContractRegistry, id: string, owner: string) => unknown

/** The calls that bind a session which they create. */
const creating: Record<string, Call> = {
  getOrCreate: (registry, id, owner) => registry.getOrCreate(id, undefined, { owner }),
  set: (registry, id, owner) => registry.set(id, ['changed'], { owner }),
  replace: (registry, id, owner) => registry.replace(id, ['changed'], { owner }),
  open: (registry, id, owner) => registry.open(id, { owner }),
  run: (registry, id, owner) => registry.run(id, say('changed'), { owner }),
  'run that joins': (registry, id, owner) => registry.run(id, say('changed'), { owner, whenBusy: 'join' }),
  stream: (registry, id, owner) => registry.stream(id, emptyStream, { owner }).next(),
  acquire: async (registry, id, owner) => (await registry.acquire(id, { owner }))?.release(),
}

const calls: Record<string, Call> = {
  ...creating,
  hold: async (registry, id, owner) => (await registry.hold(id, { owner }))?.release(),
}

function say(word: string) {
  return ({ value }: { readonly value: string[] }) => {
    value.push(word)
  }
}

export function describeOwners(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = (options: ContractOptions = {}) =>
    harness.make({ timeoutMs: 200 * unitMs, create: () => [], ...options })
  const ownerOf = async (registry: ContractRegistry, id = 'a') => (await registry.peek(id))?.owner

  it('is bound when the session is created, by every call that creates', async () => {
    const registry = await make()
    for (const [name, call] of Object.entries(creating)) await call(registry, name, 'ada')
    await registry.open('without')

    const owners = (await collect(registry.sessions())).map(({ id, owner }) => [id, owner])
    expect(Object.fromEntries(owners)).toEqual({
      ...Object.fromEntries(Object.keys(creating).map((name) => [name, 'ada'])),
      without: undefined,
    })
    const session = JSON.stringify(await registry.peek('open'))
    expect(JSON.parse(session)).toMatchObject({ id: 'open', owner: 'ada' })
  })

  it.each(Object.keys(calls))('%s: accepts the owner, and refuses another one', async (name) => {
    const registry = await make()
    const call = calls[name] as Call
    await registry.set('a', ['value'], { owner: 'ada' })
    const before = await registry.peek('a')
    await harness.advance(2 * unitMs)

    for (const owner of ['bob', 'ada ', 'Ada', '\ud800'])
      expect(await failureOf(() => call(registry, 'a', owner))).toEqual(notOwner)
    expect(await registry.peek('a')).toMatchObject({
      incarnation: before?.incarnation,
      value: ['value'],
      lastActiveAt: before?.lastActiveAt,
      owner: 'ada',
      held: false,
    })
    expect(await registry.stats()).toMatchObject({ running: 0, waiting: 0 })
    await call(registry, 'a', 'ada')
    expect(await ownerOf(registry)).toBe('ada')
  })

  it.each(Object.keys(calls))('%s: refuses an owner where none is bound', async (name) => {
    const registry = await make()
    await registry.set('a', ['value'])

    expect(await failureOf(() => calls[name]?.(registry, 'a', 'ada'))).toEqual(notOwner)
    expect(await registry.peek('a')).toMatchObject({ value: ['value'], owner: undefined })
  })

  it('is not compared in calls without an owner', async () => {
    const registry = await make()
    await registry.set('a', ['value'], { owner: 'ada' })

    expect(await registry.open('a')).toEqual(['value'])
    expect(await registry.getOrCreate('a')).toEqual(['value'])
    await registry.set('a', ['other'])
    await registry.run('a', say('said'))
    expect(await registry.peek('a')).toMatchObject({ value: ['other', 'said'], owner: 'ada' })
    await registry.replace('a', [])
    expect(await ownerOf(registry)).toBeUndefined()
  })

  it('is a string of 1 to 1 024 UTF-16 units, compared as it is', async () => {
    const registry = await make()
    const long = 'x'.repeat(1_024)
    for (const owner of [long, '"', '\ud800', '\ud801', '\ufffd', 'a\0b', '👩‍🚀']) {
      await registry.replace('a', [])
      await registry.run('a', (session) => {
        session.owner = owner
      })
      expect(await ownerOf(registry)).toBe(owner)
      expect(await registry.open('a', { owner })).toEqual([])
      expect(await failureOf(() => registry.open('a', { owner: 'ada' }))).toEqual(notOwner)
    }
    for (const name of Object.keys(calls)) {
      for (const owner of ['', `${long}x`])
        expect(await failureOf(() => calls[name]?.(registry, 'b', owner))).toEqual(optionInvalid)
    }
    expect(await registry.has('b')).toBe(false)
  })

  it('can be assigned in a turn, to another or to no one', async () => {
    const registry = await make()
    await registry.set('a', ['value'], { owner: 'ada' })
    await registry.run('a', (session) => {
      expect(session.owner).toBe('ada')
      session.owner = 'bob'
    })
    expect(await failureOf(() => registry.open('a', { owner: 'ada' }))).toEqual(notOwner)
    expect(await registry.open('a', { owner: 'bob' })).toEqual(['value'])
    const failure = await failureOf(() =>
      registry.run('a', (session) => {
        session.owner = ''
      }),
    )
    expect(failure).toEqual(optionInvalid)
    expect(await ownerOf(registry)).toBe('bob')
    await registry.run('a', (session) => {
      session.owner = undefined
    })

    expect(await ownerOf(registry)).toBeUndefined()
    expect(await failureOf(() => registry.open('a', { owner: 'bob' }))).toEqual(notOwner)
  })

  it('is compared inside a turn, as that has assigned it', async () => {
    const registry = await make()
    await registry.run(
      'a',
      async (session) => {
        for (const name of ['getOrCreate', 'set', 'open', 'run', 'stream'])
          expect(await failureOf(() => calls[name]?.(registry, 'a', 'bob'))).toEqual(notOwner)
        session.owner = 'bob'
        await registry.run('a', say('nested'), { owner: 'bob' })
        expect(await registry.open('a', { owner: 'bob' })).toEqual(['nested'])
        expect(await failureOf(() => registry.run('a', say('no'), { owner: 'ada' }))).toEqual(notOwner)
      },
      { owner: 'ada' },
    )

    expect(await registry.peek('a')).toMatchObject({ value: ['nested'], owner: 'bob' })
  })

  it.each(['wait', 'reject', 'interrupt', 'join'] as const)(
    'is compared while a turn is running, which another owner neither waits for nor interrupts: %s',
    async (whenBusy) => {
      const registry = await make({ maxWaiting: 1 })
      const [started, finished] = [deferred<AbortSignal>(), deferred()]
      const running = registry.run(
        'a',
        async (session, signal) => {
          started.resolve(signal)
          await finished.promise
          session.value.push('said')
        },
        { owner: 'ada' },
      )
      const signal = await started.promise
      const waiting = observe(registry.run('a', say('next'), { owner: 'ada' }))
      const refused = [1, 2].map(() =>
        failureOf(() => registry.run('a', say('no'), { owner: 'bob', whenBusy })),
      )

      expect(await Promise.all(refused)).toEqual([notOwner, notOwner])
      expect(signal.aborted).toBe(false)
      expect((await registry.stats()).waiting).toBe(1)
      finished.resolve()
      await Promise.all([running, waiting.settled])
      expect(await registry.get('a')).toEqual(['said', 'next'])
    },
  )

  it('is seen by listeners, and by the archive', async () => {
    const seen: unknown[] = []
    const registry = await make({
      timeoutMs: 2 * unitMs,
      archive: async ({ owner }) => {
        seen.push(['archive', owner])
      },
    })
    registry.on('created', ({ owner }) => seen.push(['created', owner]))
    registry.on('ended', ({ owner }, reason) => seen.push([reason, owner]))
    await registry.open('a', { owner: 'ada' })
    await eventually(harness, () => expect(seen).toHaveLength(3))
    await registry.open('a', { owner: 'bob' })
    await registry.replace('a', [], { owner: 'bob' })
    await registry.delete('a')

    expect(seen).toEqual([
      ['created', 'ada'],
      ['archive', 'ada'],
      ['idle', 'ada'],
      ['created', 'bob'],
      ['replaced', 'bob'],
      ['created', 'bob'],
      ['deleted', 'bob'],
    ])
  })
}
