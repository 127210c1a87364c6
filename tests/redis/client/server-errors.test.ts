import { inspect } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { documentedAt } from '../../repo/documented-at.ts'
import { read } from '../../repo/tracked-files.ts'
import { observe } from '../../support/observed-promise.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { clientKinds } from '../../support/redis-clients.ts'
import { administrator, keysWith } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { RedisServer } from '../../support/redis-server.ts'
import { describeOnOwnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const generous = { timeout: 60_000 }
const failed = sessionError('ERR_SESSION_BACKEND_FAILED')

describeOnOwnRedis('a server that replies with an error', {}, (redis) => {
  it('out of memory: rejects, and nothing is partially written', generous, async () => {
    const admin = await administrator(redis)
    const prefix = uniquePrefix()
    const registry = await testRegistry<string[]>(redis, { prefix, create: () => ['x'] })
    await registry.getOrCreate('kept')
    const before = (await keysWith(admin, prefix)).length
    await admin.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' })
    try {
      const error = await failureOf(() => registry.getOrCreate('a'))
      expect(error).toEqual(failed)
      expect(String((error as Error).cause)).toMatch(/OOM/)
      expect(await failureOf(() => registry.set('b', ['y']))).toEqual(failed)
      expect(await failureOf(() => registry.run('kept', ({ value }) => value.push('z')))).toEqual(failed)
      expect(await keysWith(admin, prefix)).toHaveLength(before)
    } finally {
      await admin.configSet('maxmemory', '0')
    }

    expect(await registry.getOrCreate('a')).toEqual(['x'])
    expect(await registry.get('kept')).toEqual(['x'])
    expect(await registry.run('kept', ({ value }) => value.push('z'), { whenBusy: 'reject' })).toBe(2)
  })

  it.each(clientKinds)(
    'out of memory: the error shows neither the id nor the value: %s',
    generous,
    async (kind) => {
      const admin = await administrator(redis)
      const registry = await testRegistry<string[]>(redis, { kind, prefix: uniquePrefix(), create: () => [] })
      await registry.getOrCreate('warm')
      await admin.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' })
      try {
        const error = await failureOf(() => registry.set('id-of-ada', ['words of ada']))
        expect(error).toEqual(failed)
        const shown = [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error)].join()
        expect(shown).toMatch(/OOM/)
        expect(shown).not.toMatch(/of ada|of-ada/)
      } finally {
        await admin.configSet('maxmemory', '0')
      }
    },
  )

  it('out of memory during a turn: saves all or nothing, and reports which', generous, async () => {
    const admin = await administrator(redis)
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => ['x'] })
    await registry.getOrCreate('a')
    try {
      const turn = registry.run('a', async (session) => {
        session.value.push('y')
        await admin.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' })
      })
      const saved = observe(turn)
      await saved.settled
      await admin.configSet('maxmemory', '0')
      if (saved.state === 'rejected') expect(saved.error).toEqual(failed)
      expect(await registry.get('a')).toEqual(saved.state === 'rejected' ? ['x'] : ['x', 'y'])
    } finally {
      await admin.configSet('maxmemory', '0')
    }
  })

  it('read-only replica: rejects', generous, async () => {
    const replica = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', String(redis.port)] })
    onTestFinished(() => replica.stop())
    const registry = await testRegistry<string[]>(replica, { prefix: uniquePrefix(), create: () => [] })

    await expect.poll(() => failureOf(() => registry.getOrCreate('a')), { timeout: 20_000 }).toEqual(failed)
    expect(String(((await failureOf(() => registry.set('a', []))) as Error).cause)).toMatch(/READONLY/)
  })

  async function restricted(name: string, ...rules: string[]) {
    const admin = await administrator(redis)
    await admin.aclSetUser(name, ['on', '>secret', '~*', '&*', '+@all', ...rules])
    return { url: `redis://${name}:secret@127.0.0.1:${redis.port}` }
  }

  it('no permission for scripts: rejects', async () => {
    const limited = await restricted('no-scripts', '-@scripting')
    const registry = await testRegistry<string[]>(limited, { prefix: uniquePrefix(), create: () => [] })
    const error = await failureOf(() => registry.getOrCreate('a'))
    expect(error).toEqual(failed)
    expect(String((error as Error).cause)).toMatch(/NOPERM/)
  })

  it('no permission for a command of the scripts: rejects', async () => {
    const limited = await restricted('no-sorted-sets', '-zadd')
    const registry = await testRegistry<string[]>(limited, { prefix: uniquePrefix(), create: () => [] })
    expect(await failureOf(() => registry.getOrCreate('a'))).toEqual(failed)
  })

  it('no permission for CONFIG and INFO: neither a failure nor a warning', async () => {
    const limited = await restricted('no-settings', '-config', '-info')
    const logger = new RecordingLogger()
    const registry = await testRegistry<string[]>(limited, {
      prefix: uniquePrefix(),
      create: () => [],
      logger,
    })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))

    expect(await registry.getOrCreate('a')).toEqual([])
    await registry.close()
    expect(errors).toEqual([])
    expect(logger.at('warn')).toEqual([])
    expect(logger.at('error')).toEqual([])
  })

  it.each([
    ['allkeys-lru', 1],
    ['volatile-ttl', 1],
    ['noeviction', 0],
  ])('eviction policy: warns of a server that may evict sessions: %s', async (policy, warnings) => {
    const admin = await administrator(redis)
    await admin.configSet('maxmemory-policy', policy)
    try {
      const logger = new RecordingLogger()
      const registry = await testRegistry<string[]>(redis, {
        prefix: uniquePrefix(),
        create: () => [],
        logger,
      })
      await registry.getOrCreate('a')
      await registry.getOrCreate('b')
      await expect.poll(() => logger.at('warn').length).toBe(warnings)
      for (const { message } of logger.at('warn')) expect(message).toMatch(/noeviction/)
      await registry.close()
      expect(logger.at('warn')).toHaveLength(warnings)
    } finally {
      await admin.configSet('maxmemory-policy', 'noeviction')
    }
  })

  it('scripts flushed: sends them again', async () => {
    const admin = await administrator(redis)
    const registry = await testRegistry<number[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    await registry.run('a', ({ value }) => value.push(1))
    await admin.scriptFlush()

    const turns = Array.from({ length: 50 }, (_, index) =>
      registry.run(`id-${index}`, ({ value }) => value.push(1)),
    )
    expect(await Promise.all(turns)).toEqual(turns.map(() => 1))
    await admin.scriptFlush()
    expect(await registry.run('a', ({ value }) => value.push(2))).toBe(2)
  })

  it.each(['redis', 'ioredis'] as const)(
    'only the documented permissions: works (%s)',
    generous,
    async (kind) => {
      const admin = await administrator(redis)
      const prefix = uniquePrefix()
      const rules = [...documentedCommands().map((command) => `+${command}`), ...connecting]
      await admin.aclSetUser(prefix, ['reset', 'on', '>secret', `~{${prefix}}*`, `~{${prefix}:*`, ...rules])
      const url = `redis://${prefix}:secret@127.0.0.1:${redis.port}`
      const ended: string[] = []
      const registry = await testRegistry<string[]>(
        { url },
        {
          kind,
          prefix,
          create: () => [],
          archiveAttempts: 1,
          timeoutMs: 200,
          archive: async () => {
            throw new Error('no store')
          },
        },
      )
      const errors: unknown[] = []
      registry.on('error', (error) => errors.push(error))
      registry.on('ended', (_, reason) => ended.push(reason))
      expect(await registry.run('a', ({ value }) => value.push('x'))).toBe(1)
      const hold = await registry.hold('a')
      expect(hold).toBeDefined()
      await hold?.release()
      await registry.set('a', ['y'])
      await registry.replace('a', ['z'])
      for await (const id of registry.keys()) expect(id).toBe('a')
      await expect.poll(() => registry.dropDead('a'), { timeout: 20_000 }).toBe(1)
      await registry.getOrCreate('b')
      expect(await registry.clear()).toBe(1)
      expect(await registry.size()).toBe(0)
      expect(errors).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])
    },
  )

  it.each(['redis', 'ioredis'] as const)(
    'FLUSHALL: a process with another number of shards may start, and stops the earlier one (%s)',
    generous,
    async (kind) => {
      const admin = await administrator(redis)
      const prefix = uniquePrefix()
      const options = { kind, prefix, create: () => [] }
      const first = await testRegistry<string[]>(redis, { ...options, shards: 4 })
      first.on('error', () => {})
      await first.getOrCreate('a')
      await admin.flushAll()
      const second = await testRegistry<string[]>(redis, { ...options, shards: 8 })
      await second.getOrCreate('a')

      const mismatch = sessionError('ERR_SESSION_SHARDS_MISMATCH')
      await expect
        .poll(() => first.get('a').catch((error: unknown) => error), { timeout: 20_000, interval: 200 })
        .toEqual(mismatch)
      expect(await failureOf(() => first.run('b', () => {}))).toEqual(mismatch)
      expect(await second.run('a', ({ value }) => value.push('x'))).toBe(1)
    },
  )
})

/** The commands that clients send when they connect. */
const connecting = ['+hello', '+auth', '+client', '+info', '+ping', '+select']

/** The commands of the scripts according to the page on Redis. */
function documentedCommands(): string[] {
  const text = read(documentedAt.redisCommands)
  const list = text.slice(text.indexOf('scripts need'), text.indexOf('may be forbidden'))
  return Array.from(list.matchAll(/`([A-Z]+)`/g), ([, name = '']) => name.toLowerCase()).filter(
    (name) => name !== 'info',
  )
}
