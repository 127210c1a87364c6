import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import type { RunScript } from '../../../src/redis/client/client.ts'
import { RetryingCaller } from '../../../src/redis/client/retrying-caller.ts'
import { ReadOnlyScript } from '../../../src/redis/client/script.ts'
import { ShardGuard } from '../../../src/redis/client/shard-guard.ts'
import { probe } from '../../../src/redis/scripts/shards.lua.ts'
import { Keys } from '../../../src/redis/storage/keys.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'

const mismatch = sessionError('ERR_SESSION_SHARDS_MISMATCH')
const hour = 3_600_000
const anything = new ReadOnlyScript('anything', 'return 1')

/** A server that stores the shard-count key only. */
class NoteServer {
  readonly clock = new ManualClock()
  shards = 0
  expiresAt = 0
  /** Scripts that were called, by name. */
  calls: string[] = []
  isAway = false

  /** Starts a process with this shard count and maximum lifetime of its data. */
  process(shards: number, horizonMs = 8 * hour) {
    const backend = new RetryingCaller(this.#run, 5_000, this.clock)
    const config = new ShardGuard(backend, new Keys('p', shards), horizonMs, () => {}, this.clock)
    return async (options: Parameters<typeof config.call>[3] = {}) => {
      const called = observe(config.call(anything, ['{p:0}:dl'], [], options))
      await this.clock.advanceAsync(0)
      return called
    }
  }

  /** `FLUSHALL` */
  flush(): void {
    this.shards = 0
  }

  readonly #run: RunScript = async ({ name }, _keys, args) => {
    this.calls.push(name)
    if (this.isAway) return new Promise(() => {})
    const now = Math.floor(this.clock.now())
    if (now >= this.expiresAt) this.shards = 0
    if (Number(args.at(-2)) < now + 1) return [0, now + 1]
    const left = this.expiresAt - now
    if (name === 'read-shards') return [1, now + 1, [this.shards, this.shards === 0 ? -2 : left, '', probe]]
    if (name === 'store-shards') {
      this.shards ||= Number(args[0])
      this.expiresAt = Math.max(this.expiresAt, now + Number(args[1]))
      return [1, now + 1, this.shards]
    }
    return [1, now + 1, 1]
  }
}

describe('the shard-count key', () => {
  it('is written before the first call, and read once', async () => {
    const server = new NoteServer()
    const call = server.process(4)
    expect((await call()).value).toBe(1)
    await call()

    expect(server.calls).toEqual(['read-shards', 'store-shards', 'anything', 'anything'])
    expect(server.shards).toBe(4)
    await server.process(4)()
    expect(server.calls.slice(4)).toEqual(['read-shards', 'anything'])
  })

  it('rejects a process with another count, until the counts agree', async () => {
    const server = new NoteServer()
    await server.process(4)()
    const other = server.process(8)
    expect((await other()).error).toEqual(mismatch)
    expect((await other()).error).toEqual(mismatch)
    server.flush()

    expect((await other()).value).toBe(1)
  })

  it.each([
    ['a minute after the last check', {}, 60_000],
    ['five seconds after it where the call is of the background', { isBackground: true }, 5_000],
  ])('is read again beside the calls, since FLUSHALL may have removed it: %s', async (_, options, ms) => {
    const server = new NoteServer()
    const call = server.process(4)
    await call()
    server.calls = []
    await server.clock.advanceAsync(ms)
    await call(options)
    expect(server.calls).toEqual(['anything'])
    server.flush()
    await server.clock.advanceAsync(1)
    await call(options)

    expect(server.calls).toEqual(['anything', 'read-shards', 'anything', 'store-shards'])
    expect(server.shards).toBe(4)
  })

  it('stops the process with the other count after FLUSHALL', async () => {
    const server = new NoteServer()
    const first = server.process(4)
    await first()
    server.flush()
    const second = server.process(8)
    expect((await second()).value).toBe(1)
    await server.clock.advanceAsync(5_001)
    await first({ isBackground: true })

    expect((await first()).error).toEqual(mismatch)
    expect((await second()).value).toBe(1)
  })

  it('does not block calls if it cannot be read again', async () => {
    const server = new NoteServer()
    const call = server.process(4)
    await call()
    await server.clock.advanceAsync(60_001)
    server.isAway = true
    const called = await call()
    expect(called.state).toBe('pending')
    await server.clock.advanceAsync(6_000)
    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
    server.isAway = false

    expect((await call()).value).toBe(1)
  })

  it('outlives the data by an eighth of `maxLifetimeMs`, however seldom a call is made', async () => {
    const server = new NoteServer()
    const call = server.process(4, 8 * hour)
    for (let hours = 0; hours < 40; hours += 0.5) {
      await call()
      expect(server.expiresAt - server.clock.now()).toBeGreaterThanOrEqual(9 * hour)
      await server.clock.advanceAsync(hour / 2)
    }
    // A call that extends the life of data waits until the key's TTL is extended too.
    await call({ maxLifetimeMs: 80 * hour })
    expect(server.expiresAt - server.clock.now()).toBeGreaterThanOrEqual(90 * hour)
  })
})
