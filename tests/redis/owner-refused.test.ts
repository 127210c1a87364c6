import { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it, vi } from 'vitest'
import { failureOf, sessionError } from '../support/session-error.ts'

async function* turn(): AsyncGenerator<never> {}

const owner = 'ada'

const calls: Record<string, (registry: RedisSessionRegistry<string[]>) => unknown> = {
  getOrCreate: (registry) => registry.getOrCreate('a', undefined, { owner }),
  set: (registry) => registry.set('a', [], { owner }),
  replace: (registry) => registry.replace('a', [], { owner }),
  open: (registry) => registry.open('a', { owner }),
  acquire: (registry) => registry.acquire('a', { owner }),
  hold: (registry) => registry.hold('a', { owner }),
  run: (registry) => registry.run('a', () => {}, { owner }),
  stream: (registry) => registry.stream('a', turn, { owner }).next(),
}

it.each(Object.keys(calls))('%s on Redis refuses an owner, which would not be compared', async (name) => {
  const script = vi.fn(async () => new Promise<unknown>(() => {}))
  const client = { evalSha: script, eval: script }
  const registry = new RedisSessionRegistry<string[]>({
    client,
    create: () => [],
    intervalMs: Number.POSITIVE_INFINITY,
  })

  expect(await failureOf(() => calls[name]?.(registry))).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
})
