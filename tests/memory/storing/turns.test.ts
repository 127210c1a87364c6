import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'

describe('nested runs', () => {
  it('only the outermost run says "stored"', async () => {
    const { registry, store } = storedRegistry()
    await registry.run('ada', async ({ value }) => {
      await say(registry, 'ada', 'inner')
      expect(store.puts).toEqual([])
      value.push('outer')
    })

    expect(store.take()).toEqual(['get ada', 'put ada'])
    expect(store.value('ada')).toEqual(['inner', 'outer'])
  })

  it('a nested run resolves though the save of the outer one fails', async () => {
    const { registry, store, clock } = storedRegistry()
    store.failNext('put', 3)
    let inner: unknown
    const outer = observe(
      registry.run('ada', async () => {
        inner = await registry.run('ada', ({ value }) => value.push('inner'))
      }),
    )
    await clock.advanceAsync(1_500)

    expect(inner).toBe(1)
    expect(outer.error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
  })

  it('one that outlives its outer run is saved by itself', async () => {
    const { registry, store } = storedRegistry()
    let goOn: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let inner = observe(Promise.resolve<unknown>(undefined))
    await registry.run('ada', ({ value }) => {
      value.push('outer')
      inner = observe(
        registry.run('ada', async () => {
          await gate
          value.push('inner')
        }),
      )
    })
    expect(store.value('ada')).toEqual(['outer'])
    goOn()
    await inner.settled

    expect(store.value('ada')).toEqual(['outer', 'inner'])
  })

  it('in a turn of another id: saved by itself', async () => {
    const { registry, store } = storedRegistry()
    await registry.run('ada', async ({ value }) => {
      await say(registry, 'bob', 'one')
      expect(store.value('bob')).toEqual(['one'])
      value.push('one')
    })

    expect(store.value('ada')).toEqual(['one'])
  })
})

describe('`whenBusy: join`', () => {
  it('a run that joins is saved with the turn that it joins', async () => {
    const { registry, store } = storedRegistry()
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    const joined = observe(registry.run('ada', ({ value }) => value.push('joined'), { whenBusy: 'join' }))
    await settle()
    expect(joined.value).toBe(1)
    expect(store.puts).toEqual([])
    turn.end.resolve('done')
    await turn.run.settled

    expect(store.value('ada')).toEqual(['joined'])
  })

  it('where no turn is running: is saved by itself', async () => {
    const { registry, store } = storedRegistry()
    await registry.run('ada', ({ value }) => value.push('joined'), { whenBusy: 'join' })

    expect(store.value('ada')).toEqual(['joined'])
  })

  it('that outlives the turn that it joins: is saved by itself', async () => {
    const { registry, store } = storedRegistry()
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    const joined = beginTurn(registry, 'ada', { whenBusy: 'join' })
    turn.end.resolve('done')
    await turn.run.settled
    joined.session.value.push('joined')
    joined.end.resolve('done')
    await joined.run.settled

    expect(store.value('ada')).toEqual(['joined'])
  })

  it('beside a turn that fails: is saved by itself if it outlives it, else with the next save', async () => {
    const { registry, store } = storedRegistry()
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    await registry.run('ada', ({ value }) => value.push('joined'), { whenBusy: 'join' })
    turn.end.reject(new Error('the model is away'))
    await turn.run.settled
    expect(store.value('ada')).toBe(undefined)
    await registry.close()

    expect(store.value('ada')).toEqual(['joined'])
  })
})

describe('a stream', () => {
  async function* speak({ value }: { readonly value: string[] }) {
    for (const part of ['one', 'two', 'three']) {
      value.push(part)
      yield part
    }
  }

  it('read to its end: is saved before the last `next` resolves', async () => {
    const { registry, store } = storedRegistry()
    const parts = registry.stream('ada', speak)
    for (let count = 0; count < 3; count += 1) await parts.next()
    const put = store.gateNext('put')
    const last = observe(parts.next())
    await put.begun
    await settle()
    expect(last.state).toBe('pending')
    put.end.resolve()
    await last.settled

    expect(last.value).toEqual({ done: true, value: undefined })
    expect(store.value('ada')).toEqual(['one', 'two', 'three'])
  })

  it('left by `break`: is saved before the loop is over', async () => {
    const { registry, store } = storedRegistry()
    for await (const part of registry.stream('ada', speak)) if (part === 'two') break

    expect(store.value('ada')).toEqual(['one', 'two'])
  })

  it('that fails: rejects with its error, and is not saved', async () => {
    const { registry, store } = storedRegistry()
    const failure = new Error('the model is away')
    const parts = registry.stream('ada', async function* ({ value }) {
      value.push('one')
      yield 'one'
      throw failure
    })
    await parts.next()

    await expect(parts.next()).rejects.toBe(failure)
    expect(store.puts).toEqual([])
  })

  it.each(['read to its end', 'left'] as const)('whose save fails, %s: rejects', async (how) => {
    const { registry, store, clock } = storedRegistry()
    store.failNext('put', 3)
    const parts = registry.stream('ada', async function* ({ value }) {
      value.push('one')
      yield 'one'
    })
    await parts.next()
    const last = observe(how === 'left' ? parts.return(undefined) : parts.next())
    await clock.advanceAsync(1_500)

    expect(last.error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(registry.get('ada')).toEqual(['one'])
  })
})

describe('`rollback` beside a store', () => {
  it('a turn that rejects leaves the value and the store as they were', async () => {
    const { registry, store } = storedRegistry({ rollback: true })
    await say(registry, 'ada', 'one')
    const failure = new Error('the model is away')
    const run = registry.run('ada', ({ value }) => {
      value.push('two')
      throw failure
    })

    await expect(run).rejects.toBe(failure)
    expect(registry.get('ada')).toEqual(['one'])
    await registry.close()
    expect(store.value('ada')).toEqual(['one'])
  })

  it('a save that fails does not roll back: the turn has succeeded', async () => {
    const { registry, store, clock } = storedRegistry({ rollback: true })
    await say(registry, 'ada', 'one')
    store.failNext('put', 3)
    const run = observe(say(registry, 'ada', 'two'))
    await clock.advanceAsync(1_500)

    expect(run.error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(registry.get('ada')).toEqual(['one', 'two'])
    await registry.close()
    expect(store.value('ada')).toEqual(['one', 'two'])
  })

  it('what `save` wrote inside a turn that rejects is written back with the next save', async () => {
    const { registry, store } = storedRegistry({ rollback: true })
    await say(registry, 'ada', 'one')
    await failureOf(() =>
      registry.run('ada', async ({ value }) => {
        value.push('two')
        await registry.save('ada')
        throw new Error('the model is away')
      }),
    )
    expect(store.value('ada')).toEqual(['one', 'two'])
    await registry.close()

    expect(store.value('ada')).toEqual(['one'])
  })
})

describe('`maxTurnMs` with a store', () => {
  it('a turn that settles in its grace is saved', async () => {
    const { registry, store, clock } = storedRegistry({ maxTurnMs: 1_000, turnGraceMs: 500 })
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    turn.session.value.push('one')
    await clock.advanceAsync(1_499)
    turn.end.resolve('done')
    await turn.run.settled

    expect(turn.run.value).toBe('done')
    expect(store.value('ada')).toEqual(['one'])
  })

  it('a turn that was cut is not saved by itself, whenever it settles', async () => {
    const { registry, store, clock } = storedRegistry({ maxTurnMs: 1_000, turnGraceMs: 500 })
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    turn.session.value.push('one')
    await clock.advanceAsync(1_500)
    expect(turn.run.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
    turn.end.resolve('done')
    await settle()
    expect(store.puts).toEqual([])
    await say(registry, 'ada', 'two')

    expect(store.value('ada')).toEqual(['one', 'two'])
  })
})

describe('`whenBusy` during a save', () => {
  it('the session is busy until the save has settled', async () => {
    const { registry, store } = storedRegistry()
    const put = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await put.begun

    await expect(registry.run('ada', () => 1, { whenBusy: 'reject' })).rejects.toEqual(
      sessionError('ERR_SESSION_BUSY'),
    )
    const interrupting = observe(registry.run('ada', ({ value }) => [...value], { whenBusy: 'interrupt' }))
    await settle()
    expect([run.state, interrupting.state]).toEqual(['pending', 'pending'])
    put.end.resolve()
    await interrupting.settled

    expect(run.state).toBe('fulfilled')
    expect(interrupting.value).toEqual(['one'])
  })

  it('what is left behind by the turn does not join its save: it is a turn of its own', async () => {
    const { registry, store } = storedRegistry()
    const put = store.gateNext('put')
    let late = observe(Promise.resolve<unknown>(undefined))
    const run = observe(
      registry.run('ada', ({ value }) => {
        value.push('one')
        void put.begun.then(() => {
          late = observe(say(registry, 'ada', 'late'))
        })
      }),
    )
    await put.begun
    await settle()
    expect([run.state, late.state]).toEqual(['pending', 'pending'])
    expect(registry.peek('ada')?.value).toEqual(['one'])
    put.end.resolve()
    await run.settled
    await late.settled

    expect(store.value('ada')).toEqual(['one', 'late'])
  })
})
