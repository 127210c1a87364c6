import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { UnstorageDriver, UnstorageLike } from './unstorage-like.ts'

/**
 * Drivers that return the same for a failure as for a miss, or an error page as the text. With one of them, a
 * history would be overwritten because its database was down.
 */
const refused = [
  'azure-app-configuration',
  'azure-key-vault',
  'azure-storage-blob',
  'azure-storage-table',
  'uploadthing',
  'vercel-blob',
]

/**
 * Checks that the driver of the sessions can tell a failure from a miss.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` that names the driver
 */
export function checkDrivers(storage: UnstorageLike, key: string): void {
  const name = driversOf(storage, key)
    .flatMap(withLayers)
    .find((one) => refused.includes(one))
  if (name === undefined) return
  throw new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    `Expected \`storage\` to have a driver that tells a failure from a miss, got the driver \`${name}\``,
  )
}

/**
 * Returns the drivers that may store this key.
 *
 * `prefixStorage` returns an object whose `getMount` ignores the prefix. Its methods have no names, which
 * distinguishes it; any mounted driver may then be the one.
 */
function driversOf(storage: UnstorageLike, key: string): UnstorageDriver[] {
  const isPrefixed = storage.getItem.name !== 'getItem' && storage.getMounts !== undefined
  if (!isPrefixed) return storage.getMount === undefined ? [] : [storage.getMount(key).driver]
  return (storage.getMounts?.('', { parents: true }) ?? []).map(({ driver }) => driver)
}

/** Returns the names of a driver and of its layers (`overlay`). */
function withLayers(driver: UnstorageDriver): string[] {
  const layers: unknown = driver.options?.layers
  const names = Array.isArray(layers) ? layers.flatMap((layer: UnstorageDriver) => withLayers(layer)) : []
  return driver.name === undefined ? names : [driver.name, ...names]
}
