import { describe, expect, it, vi } from 'vitest'
import { SessionRegistry } from '../../src/index.ts'
import { deferred } from '../support/deferred.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

let keys = 0

function uniqueKey(): string {
  keys += 1
  return `tests/memory/shared-registry ${keys}`
}

/** Loads another copy of the library, as a hot reload does, or a CJS build beside the ESM one. */
async function anotherCopy(): Promise<typeof import('../../src/index.ts')> {
  vi.resetModules()
  return import('../../src/index.ts')
}

describe('SessionRegistry.shared', () => {
  it('creates the registry of a key once', () => {
    const key = uniqueKey()
    const make = vi.fn(() => new SessionRegistry<string[]>())
    const first = SessionRegistry.shared(key, make)

    expect(SessionRegistry.shared(key, make)).toBe(first)
    expect(SessionRegistry.shared(uniqueKey(), make)).not.toBe(first)
    expect(make).toHaveBeenCalledTimes(2)
  })

  it('returns one registry for all copies of the module', async () => {
    const key = uniqueKey()
    const first = SessionRegistry.shared(key, () => new SessionRegistry<string[]>())
    const copy = await anotherCopy()
    expect(copy.SessionRegistry).not.toBe(SessionRegistry)

    expect(copy.SessionRegistry.shared(key, () => new copy.SessionRegistry<string[]>())).toBe(first)
  })

  it('remembers nothing if `make` throws', () => {
    const key = uniqueKey()
    const error = new Error('no registry today')
    const failing = () => {
      throw error
    }

    expect(thrownBy(() => SessionRegistry.shared(key, failing))).toBe(error)
    expect(SessionRegistry.shared(key, () => new SessionRegistry())).toBeInstanceOf(SessionRegistry)
  })

  it('creates a new one after the registry was closed, and not before', async () => {
    const key = uniqueKey()
    const first = SessionRegistry.shared(key, () => new SessionRegistry<string[]>())
    first.set('a', [])
    const hold = first.hold('a')
    const closing = first.close()
    expect(SessionRegistry.shared(key, () => new SessionRegistry<string[]>())).toBe(first)
    hold?.release()
    await closing

    const second = SessionRegistry.shared(key, () => new SessionRegistry<string[]>())
    expect(second).not.toBe(first)
    expect(second.state).toBe('open')
  })

  it.each([
    ['key', '', () => new SessionRegistry()],
    ['key', undefined, () => new SessionRegistry()],
    ['make', 'x', undefined],
    ['make', 'y', () => undefined],
    ['make', 'z', async () => new SessionRegistry()],
  ])('refuses an invalid `%s`', (name, key, make) => {
    const error = thrownBy(() => SessionRegistry.shared(key as never, make as never)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toContain(`\`${name}\``)
  })
})

describe('state', () => {
  it('is closing from the call of close, and closed when it fulfils', async () => {
    const registry = new SessionRegistry<string[]>({ create: () => [] })
    const finish = deferred()
    const turn = registry.run('a', () => finish.promise)
    expect(registry.state).toBe('open')
    const closing = registry.close()
    expect(registry.state).toBe('closing')
    finish.resolve()
    await turn
    await closing

    expect(registry.state).toBe('closed')
  })

  it('stays open if the options of close are invalid', async () => {
    const registry = new SessionRegistry()
    await registry.close({ deadlineMs: -1 }).catch(() => {})

    expect(registry.state).toBe('open')
  })
})

describe('ref', () => {
  it('returns the hash of log lines, for any `logIds`', () => {
    const lines: unknown[] = []
    const write = (fields: object) => lines.push((fields as { session?: unknown }).session)
    const logger = { debug: write, info: write, warn: write, error: write }
    const registry = new SessionRegistry<string[]>({ logger })
    registry.set('ada', [])
    const plain = new SessionRegistry<string[]>({ logIds: 'plain' })

    expect(registry.ref('ada')).toMatch(/^[\w-]{16}$/)
    expect(lines).toEqual([registry.ref('ada')])
    expect(plain.ref('ada')).toBe(registry.ref('ada'))
    expect(registry.ref('ben')).not.toBe(registry.ref('ada'))
  })

  it('returns the same in all copies of the module', async () => {
    const { ref } = { ref: new SessionRegistry().ref('ada') }
    const copy = await anotherCopy()

    expect(new copy.SessionRegistry().ref('ada')).toBe(ref)
  })

  it('differs for ids that differ only in a lone surrogate', () => {
    const registry = new SessionRegistry()

    expect(registry.ref('\ud800')).not.toBe(registry.ref('\ud801'))
    expect(registry.ref('\ud800')).not.toBe(registry.ref('\ufffd'))
  })

  it('refuses an invalid id', () => {
    expect(thrownBy(() => new SessionRegistry().ref(''))).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
  })
})
