import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where the tests get a Redis or Valkey: one that runs already, or a program that can be started. */
export type RedisSource =
  | { readonly kind: 'running'; readonly url: string }
  | { readonly kind: 'program'; readonly path: string }

export const howToGetRedis =
  'install redis-server or valkey-server (Debian: apt-get install redis-server), or set SESSION_REGISTRY_REDIS_URL'

/** `undefined`: there is none, and what needs one is skipped. */
export function findRedis(): RedisSource | undefined {
  const { SESSION_REGISTRY_REDIS_URL: url } = process.env
  if (url !== undefined && url !== '') return { kind: 'running', url }
  const path = findRedisProgram()
  return path === undefined ? undefined : { kind: 'program', path }
}

/** For tests that stop, limit or configure their server: they need one of their own. */
export function findRedisProgram(): string | undefined {
  const { PATH = '' } = process.env
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of PATH.split(delimiter)) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {}
    }
  }
  return undefined
}
