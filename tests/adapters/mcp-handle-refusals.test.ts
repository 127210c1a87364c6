import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { stateHandles, type ToolContext } from 'session-registry/mcp'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { deferred } from '../support/deferred.ts'
import { lines, type ToolAnswer } from '../support/mcp-lines.ts'
import { textOf, toolsFor } from '../support/mcp-tools.ts'

describe.each(lines)('state handles with $name that a registry refuses', (line) => {
  async function setUp(options: SessionRegistryOptions<string[]>) {
    const baskets = new SessionRegistry<string[]>({ create: () => [], ...options })
    const { create, use } = stateHandles(baskets, {
      prefix: 'basket_',
      argument: 'basket_id',
      owner: () => 'ada',
    })
    const began = deferred()
    const end = deferred()
    const inputSchema = z.object({ basket_id: z.string() })
    const call = await toolsFor(line, 'ada', (server) => {
      server.registerTool('create', {}, create())
      server.registerTool(
        'wait',
        { inputSchema },
        use<{ basket_id: string }, ToolContext, object>(async () => {
          began.resolve()
          await end.promise
          return { content: [] }
        }),
      )
    })
    return { baskets, call, began, end }
  }

  const handleOf = ({ structuredContent: { basket_id } = {} }: ToolAnswer) => basket_id as string

  it.each([
    [{ maxSessions: 1, whenFull: 'reject' }, 'There is no room for another `basket_id` at the moment.'],
    [{ maxPerOwner: 1, whenOwnerFull: 'reject' }, 'You have as many of `basket_id` as one caller may have.'],
  ] as const)('creation, full by %j: a tool error that says what to do', async (options, text) => {
    const { baskets, call } = await setUp(options)
    const handle = handleOf(await call('create'))
    const answer = await call('create')

    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toMatch(new RegExp(`^${text} .*drop one that you no longer need\\.$`))
    expect([...baskets.keys()]).toEqual([handle])
    baskets.delete(handle)
    expect((await call('create')).isError).toBeUndefined()
  })

  it('creation while all are in use: a tool error, and none of them ends', async () => {
    const { baskets, call, began, end } = await setUp({ maxSessions: 1 })
    const handle = handleOf(await call('create'))
    const waiting = call('wait', { basket_id: handle })
    await began.promise
    const answer = await call('create')

    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toContain('There is no room')
    end.resolve()
    expect((await waiting).isError).toBeUndefined()
    expect(baskets.has(handle)).toBe(true)
  })

  it('creation and use after `close`: a tool error that says to try again', async () => {
    const { baskets, call } = await setUp({})
    const handle = handleOf(await call('create'))
    await baskets.close()

    for (const answer of [await call('create'), await call('wait', { basket_id: handle })]) {
      expect(answer.isError).toBe(true)
      expect(textOf(answer)).toBe('The server is shutting down. Try again later.')
    }
  })

  it('use while too many calls wait: a tool error that says so', async () => {
    const { call, began, end } = await setUp({ maxWaiting: 0 })
    const handle = handleOf(await call('create'))
    const waiting = call('wait', { basket_id: handle })
    await began.promise
    const answer = await call('wait', { basket_id: handle })

    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toBe('Too many calls are waiting for this `basket_id`. Try again later.')
    end.resolve()
    await waiting
  })
})

describe('state handles of a registry that fails', () => {
  it('in another way: the call rejects with its error', async () => {
    const failure = new Error('no database')
    const baskets = new SessionRegistry<string[]>({
      create: () => {
        throw failure
      },
    })
    const { create } = stateHandles(baskets, { prefix: 'basket_', argument: 'basket_id' })

    await expect(create()({})).rejects.toBe(failure)
  })

  it('in its callback: the error is the one of the callback, whatever its code', async () => {
    const full = new SessionRegistry<string>({ maxSessions: 1, whenFull: 'reject', create: () => '' })
    full.getOrCreate('a')
    const baskets = new SessionRegistry<string[]>({ create: () => [] })
    const { create } = stateHandles(baskets, { prefix: 'basket_', argument: 'basket_id' })
    const creating = create(async () => void (await full.open('b')))({}, {})

    await expect(creating).rejects.toMatchObject({ code: 'ERR_SESSION_REGISTRY_FULL' })
    expect(baskets.size).toBe(0)
  })
})
