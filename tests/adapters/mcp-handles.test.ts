import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { stateHandles, type ToolCaller, type ToolContext } from 'session-registry/mcp'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { deferred } from '../support/deferred.ts'
import { lines, type McpTestServer, type ToolAnswer } from '../support/mcp-lines.ts'
import { textOf, toolsFor } from '../support/mcp-tools.ts'

function personOf({ http, authInfo }: ToolContext): string | undefined {
  const caller: ToolCaller | undefined = http?.authInfo ?? authInfo
  const { sub } = caller?.extra ?? {}
  return sub as string | undefined
}

const unknown = { isError: true, content: [{ type: 'text', text: 'There is no such `basket_id`.' }] }

describe.each(lines)('state handles with $name', (line) => {
  function setUp(options: SessionRegistryOptions<string[]> = {}, byOwner = true) {
    const clock = new ManualClock()
    const baskets = new SessionRegistry<string[]>({ clock, create: () => [], ...options })
    const handles = stateHandles(baskets, {
      prefix: 'basket_',
      argument: 'basket_id',
      ...(byOwner ? { owner: personOf } : {}),
    })
    const register = (server: McpTestServer) => {
      const inputSchema = z.object({ basket_id: z.string(), item: z.string() })
      server.registerTool('create', { description: handles.policy }, handles.create())
      server.registerTool(
        'add',
        { inputSchema },
        handles.use<{ basket_id: string; item: string }, ToolContext, object>(({ value }, { item }) => {
          value.push(item)
          return { content: [{ type: 'text', text: value.join(' ') }] }
        }),
      )
      server.registerTool('list', {}, handles.list())
      server.registerTool('drop', { inputSchema: z.object({ basket_id: z.string() }) }, handles.drop())
    }
    return { clock, baskets, handles, register, as: (person?: string) => toolsFor(line, person, register) }
  }

  const handleIn = ({ structuredContent: { basket_id } = {} }: ToolAnswer) => basket_id as string

  it('creation: returns a handle of the prefix and 128 random bits, as text and as structured content', async () => {
    const { baskets, as } = setUp()
    const ada = await as('ada')
    const answers = [await ada('create'), await ada('create')]
    const [first, second] = answers.map(handleIn)

    expect(first).toMatch(/^basket_[0-9a-f]{32}$/)
    expect(second).not.toBe(first)
    expect(answers[0]?.structuredContent).toEqual({ basket_id: first })
    expect(textOf(answers[0] as ToolAnswer)).toContain(first)
    expect([...baskets.keys()]).toEqual([first, second])
    expect(baskets.peek(first as string)?.owner).toBe('ada')
  })

  it('use: each call is a turn of the session, across connections', async () => {
    const { as } = setUp()
    const handle = handleIn(await (await as('ada'))('create'))
    const [one, other] = [await as('ada'), await as('ada')]

    expect(textOf(await one('add', { basket_id: handle, item: 'tea' }))).toBe('tea')
    expect(textOf(await other('add', { basket_id: handle, item: 'milk' }))).toBe('tea milk')
  })

  it('another owner: the handle is unknown in every tool, and is neither used nor kept from expiring', async () => {
    const { clock, baskets, as } = setUp({ timeoutMs: 1_000 })
    const handle = handleIn(await (await as('ada'))('create'))
    const eve = await as('eve')
    clock.advance(999)

    expect(await eve('add', { basket_id: handle, item: 'gin' })).toEqual(unknown)
    expect(await eve('drop', { basket_id: handle })).toEqual(unknown)
    expect((await eve('list')).structuredContent).toEqual({ handles: [] })
    expect(baskets.peek(handle)?.value).toEqual([])
    clock.advance(1)
    expect(baskets.has(handle)).toBe(false)
  })

  it('an unknown caller: is refused by every tool where `owner` names no one', async () => {
    const { baskets, as } = setUp()
    const handle = handleIn(await (await as('ada'))('create'))
    const stranger = await as()

    for (const [name, args] of [
      ['create', undefined],
      ['add', { basket_id: handle, item: 'gin' }],
      ['list', undefined],
      ['drop', { basket_id: handle }],
    ] as const) {
      const answer = await stranger(name, args)
      expect(answer.isError).toBe(true)
      expect(textOf(answer)).toBe('The caller is not known, and can use no `basket_id`.')
    }
    expect([...baskets].map(([id, value]) => [id, value])).toEqual([[handle, []]])
  })

  it('an expired handle: only its owner is told that, when, and what to call', async () => {
    const { clock, as } = setUp({ timeoutMs: 60_000, tombstoneMs: 3_600_000 })
    const ada = await as('ada')
    const handle = handleIn(await ada('create'))
    const expiresAt = new Date(clock.date() + 60_000).toISOString()
    clock.advance(59_999)
    expect((await ada('add', { basket_id: handle, item: 'tea' })).isError).toBeUndefined()
    clock.advance(60_000)

    const answer = await ada('add', { basket_id: handle, item: 'milk' })
    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toContain('expired at')
    expect(textOf(answer)).toContain(new Date(Date.parse(expiresAt) + 59_999).toISOString())
    expect(textOf(answer)).toContain('Call the tool that creates a `basket_id`')
    expect(await (await as('eve'))('add', { basket_id: handle, item: 'milk' })).toEqual(unknown)
  })

  it('an expired handle: is unknown without `tombstoneMs`, and is not made anew', async () => {
    const { clock, baskets, as } = setUp({ timeoutMs: 60_000 })
    const ada = await as('ada')
    const handle = handleIn(await ada('create'))
    clock.advance(60_000)

    expect(await ada('add', { basket_id: handle, item: 'tea' })).toEqual(unknown)
    expect(await ada('drop', { basket_id: handle })).toEqual(unknown)
    expect(baskets.size).toBe(0)
  })

  it.each(['', 'basket_', 'basket_0', `basket_${'0'.repeat(2_000)}`, '__proto__', 'other', 'basket_\ud800'])(
    'a handle that is none (%#): is unknown',
    async (basket_id) => {
      const { baskets, as } = setUp({ tombstoneMs: 1_000 })
      const ada = await as('ada')
      baskets.set('other', ['of another kind'], { owner: 'ada' })

      expect(await ada('add', { basket_id, item: 'tea' })).toEqual(unknown)
      expect(await ada('drop', { basket_id })).toEqual(unknown)
      expect([...baskets]).toEqual([['other', ['of another kind']]])
    },
  )

  it('list: names the live handles of the caller alone, and is no activity', async () => {
    const { clock, baskets, as } = setUp({ timeoutMs: 1_000 })
    const [ada, bob] = [await as('ada'), await as('bob')]
    await ada('create')
    clock.advance(500)
    const handle = handleIn(await ada('create'))
    await bob('create')
    baskets.set('other', [], { owner: 'ada' })
    clock.advance(500)

    const answer = await ada('list')
    const at = new Date(clock.date() - 500).toISOString()
    expect(answer.structuredContent).toEqual({
      handles: [{ basket_id: handle, createdAt: at, lastActiveAt: at }],
    })
    expect(textOf(answer)).toBe(`${handle}, last used at ${at}`)
    clock.advance(500)
    expect(textOf(await ada('list'))).toBe('There is no live `basket_id`.')
  })

  it('drop: ends the session, and its owner is told so afterwards', async () => {
    const { baskets, as } = setUp({ tombstoneMs: 1_000 })
    const ada = await as('ada')
    const handle = handleIn(await ada('create'))

    expect((await ada('drop', { basket_id: handle })).isError).toBeUndefined()
    expect(baskets.size).toBe(0)
    expect(textOf(await ada('add', { basket_id: handle, item: 'tea' }))).toContain('was dropped at')
  })

  it('without `owner`: a handle serves everyone who has it, and none is listed', async () => {
    const { as } = setUp({ timeoutMs: 1_000 }, false)
    const handle = handleIn(await (await as('ada'))('create'))
    const eve = await as('eve')

    expect(textOf(await eve('add', { basket_id: handle, item: 'tea' }))).toBe('tea')
    const list = await eve('list')
    expect(list.isError).toBe(true)
    expect(textOf(list)).toBe(
      'No `basket_id` can be listed: the server has no `owner` option for its handles.',
    )
  })

  it('a cancelled call: aborts the turn and leaves its place to the next', async () => {
    const { baskets, handles, register } = setUp()
    const began = deferred<void>()
    const aborted = deferred<unknown>()
    const ada = await toolsFor(line, 'ada', (server) => {
      register(server)
      server.registerTool(
        'wait',
        { inputSchema: z.object({ basket_id: z.string() }) },
        handles.use(async (_session, _args, _context, signal) => {
          signal.addEventListener('abort', () => aborted.resolve(signal.reason))
          began.resolve()
          await aborted.promise
          return { content: [] }
        }),
      )
    })
    const handle = handleIn(await ada('create'))
    const cancel = new AbortController()
    const call = ada('wait', { basket_id: handle }, { signal: cancel.signal }).catch(() => 'cancelled')
    await began.promise
    const next = ada('add', { basket_id: handle, item: 'tea' })
    cancel.abort(new Error('no longer wanted'))

    expect(await call).toBe('cancelled')
    await aborted.promise
    expect(textOf(await next)).toBe('tea')
    expect(baskets.stats()).toMatchObject({ running: 0, waiting: 0, held: 0 })
  })

  it('a dropped handle: aborts the signal of the turn that uses it', async () => {
    const { handles, register } = setUp()
    const began = deferred<void>()
    const ada = await toolsFor(line, 'ada', (server) => {
      register(server)
      server.registerTool(
        'wait',
        { inputSchema: z.object({ basket_id: z.string() }) },
        handles.use(async (_session, _args, _context, signal) => {
          const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
          began.resolve()
          await aborted
          return { content: [{ type: 'text' as const, text: 'stopped' }] }
        }),
      )
    })
    const handle = handleIn(await ada('create'))
    const call = ada('wait', { basket_id: handle })
    await began.promise
    await ada('drop', { basket_id: handle })

    expect(textOf(await call)).toBe('stopped')
  })

  it('a failing tool: its error is the answer, whatever its code, and the session lives on', async () => {
    const { baskets, handles, register } = setUp()
    const rooms = new SessionRegistry<string>({ create: () => 'room' })
    rooms.getOrCreate('r', undefined, { owner: 'bob' })
    const ada = await toolsFor(line, 'ada', (server) => {
      register(server)
      server.registerTool(
        'enter',
        { inputSchema: z.object({ basket_id: z.string() }) },
        handles.use(async () => ({
          content: [{ type: 'text' as const, text: await rooms.open('r', { owner: 'ada' }) }],
        })),
      )
    })
    const handle = handleIn(await ada('create'))
    const answer = await ada('enter', { basket_id: handle })

    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toBe('Expected the session to belong to the given owner, but it does not')
    expect(baskets.has(handle)).toBe(true)
  })

  it('a creation with a callback: it fills the session, and its result has the handle too', async () => {
    const { baskets, handles } = setUp()
    const ada = await toolsFor(line, 'ada', (server) => {
      server.registerTool(
        'create',
        { inputSchema: z.object({ item: z.string() }) },
        handles.create<{ item: string }, ToolContext>(({ value }, { item }) => {
          value.push(item)
          if (item === 'error') return { content: [{ type: 'text', text: 'out of stock' }], isError: true }
          if (item === 'throw') throw new Error('no shop')
          return {
            content: [{ type: 'text', text: 'welcome' }],
            structuredContent: { count: 1, basket_id: 'x' },
          }
        }),
      )
    })
    const answer = await ada('create', { item: 'tea' })
    const handle = handleIn(answer)

    expect(answer.structuredContent).toEqual({ count: 1, basket_id: handle })
    expect(textOf(answer)).toMatch(/^welcome\n/)
    expect(baskets.get(handle)).toEqual(['tea'])
    expect(await ada('create', { item: 'error' })).toEqual({
      content: [{ type: 'text', text: 'out of stock' }],
      isError: true,
    })
    expect(textOf(await ada('create', { item: 'throw' }))).toBe('no shop')
    expect([...baskets.keys()]).toEqual([handle])
  })
})
