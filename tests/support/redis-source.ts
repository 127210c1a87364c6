import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Redis or Valkey of the tests: a running one, or a program to start. */
export type RedisSource =
  | { readonly kind: 'running'; readonly url: string }
  | { readonly kind: 'program'; readonly path: string }

export const howToGetRedis =
  'install redis-server or valkey-server (Debian: apt-get install redis-server), or set SESSION_REGISTRY_REDIS_URL'

/** Returns `undefined` if there is none; the tests that need one are skipped. */
export function findRedis(): RedisSource | undefined {
  const { SESSION_REGISTRY_REDIS_URL: url } = process.env
  if (url !== undefined && url !== '') return { kind: 'running', url }
  const path = findRedisProgram()
  return path === undefined ? undefined : { kind: 'program', path }
}

/** Returns the program for tests that stop, limit or configure their own server. */
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
