import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'

describe('`save(id)`', () => {
  it('writes a live session now, and resolves with `true`', async () => {
    const { registry, store } = storedRegistry({ save: 'end' })
    registry.set('ada', ['one'])

    expect(await registry.save('ada')).toBe(true)
    expect(store.value('ada')).toEqual(['one'])
  })

  it('resolves with `true` where the store has it already, without a write', async () => {
    const { registry, store } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.take()

    expect(await registry.save('ada')).toBe(true)
    expect(store.take()).toEqual([])
  })

  it('resolves with `false` where no session is live, and reads nothing', async () => {
    const { registry, store, clock } = storedRegistry({ timeoutMs: 1_000 })
    expect(await registry.save('ada')).toBe(false)
    registry.set('ada', ['one'])
    clock.advance(1_000)

    expect(await registry.save('ada')).toBe(false)
    expect(store.take()).toEqual([])
  })

  it('is no activity', async () => {
    const { registry, clock } = storedRegistry({ timeoutMs: 1_000 })
    registry.set('ada', ['one'])
    await clock.advanceAsync(999)
    expect(await registry.save('ada')).toBe(true)
    expect(registry.peek('ada')?.idleMs).toBe(999)
    clock.advance(1)

    expect(registry.has('ada')).toBe(false)
  })

  it('waits for a running turn, and comes before the next one', async () => {
    const { registry, store } = storedRegistry({ save: 'end' })
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    const saved = observe(registry.save('ada'))
    const next = say(registry, 'ada', 'two')
    turn.session.value.push('one')
    await settle()
    expect(saved.state).toBe('pending')
    expect(store.value('ada')).toBe(undefined)
    turn.end.resolve('done')
    await next
    await saved.settled

    expect(saved.value).toBe(true)
    expect(registry.get('ada')).toEqual(['one', 'two'])
    expect(store.value('ada')).toEqual(['one'])
  })

  it('inside a turn: writes at once', async () => {
    const { registry, store } = storedRegistry({ save: 'end' })
    await registry.run('ada', async ({ value }) => {
      value.push('one')
      expect(await registry.save('ada')).toBe(true)
      expect(store.value('ada')).toEqual(['one'])
      value.push('two')
    })

    expect(store.value('ada')).toEqual(['one'])
  })

  it.each(['delete', 'replace'] as const)('%s during its write: `false`', async (how) => {
    const { registry, store } = storedRegistry()
    registry.set('ada', ['one'])
    const put = store.gateNext('put')
    const saved = observe(registry.save('ada'))
    await put.begun
    if (how === 'delete') registry.delete('ada')
    else registry.replace('ada', ['new'])
    await saved.settled

    expect(saved.value).toBe(false)
    put.end.resolve()
    await registry.close()
    expect(store.value('ada')).toEqual(how === 'delete' ? undefined : ['new'])
  })

  it('deleted while it waits for a turn: `false`', async () => {
    const { registry } = storedRegistry()
    await registry.open('ada')
    const turn = beginTurn(registry, 'ada')
    const saved = observe(registry.save('ada'))
    registry.delete('ada')
    await saved.settled

    expect(saved.value).toBe(false)
    turn.end.resolve('done')
    await turn.run.settled
  })

  it('fails: rejects after three tries, and the session lives on', async () => {
    const { registry, store, clock } = storedRegistry()
    registry.set('ada', ['one'])
    store.failNext('put', 3)
    const saved = observe(registry.save('ada'))
    await clock.advanceAsync(1_500)

    expect(saved.error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(saved.error).toMatchObject({ cause: store.failure })
    expect(registry.get('ada')).toEqual(['one'])
    expect(store.take()).toEqual(['put ada', 'put ada', 'put ada'])
  })

  it('rejects a wrong id, a closed registry, and a registry without a store', async () => {
    const { registry } = storedRegistry()
    await expect(registry.save('')).rejects.toEqual(sessionError('ERR_SESSION_ID_INVALID'))
    await registry.close()
    await expect(registry.save('ada')).rejects.toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    const without = new SessionRegistry<string[]>({ create: () => [] })
    without.getOrCreate('ada')

    await expect(without.save('ada')).rejects.toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
  })
})
