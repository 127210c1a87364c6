import { SessionRegistryError } from '../core/errors/session-registry-error.ts'

/** Options of the in-process registry that have no meaning on Redis, and why. */
const unsupportedReasons: Readonly<Record<string, string>> = {
  clock: 'time is that of the server',
  dispose: 'values are copies, which hold no resources',
  disposeTimeoutMs: 'values are copies, which hold no resources',
  maxPerOwner: 'sessions are not counted by owner',
  maxTombstones: 'tombstones end by `tombstoneMs` alone',
  rollback: 'a turn that rejects saves nothing anyway',
  whenFull: 'a creation in a full shard is refused, and no session is evicted',
  whenOwnerFull: 'sessions are not counted by owner',
}

/**
 * Rejects options of the in-process registry. Returns the names of those that are present as `undefined`.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function rejectUnsupportedOptions(options: object): string[] {
  if (typeof options !== 'object' || options === null) return []
  const given = options as Readonly<Record<string, unknown>>
  const present = Object.keys(unsupportedReasons).filter((name) => Object.hasOwn(given, name))
  for (const name of present) {
    if (given[name] === undefined) continue
    throw new SessionRegistryError(
      'ERR_SESSION_OPTION_INVALID',
      `Expected \`${name}\` to be left out on Redis: ${unsupportedReasons[name]}`,
    )
  }
  return present
}
