import { invalidOption } from '../../core/options/validate.ts'
import type { RegistryStats } from '../../core/stats.ts'
import type { InspectedSession } from '../../core/watching/inspected-session.ts'
import type { RegistryHealth } from '../../core/watching/registry-health.ts'

/** What the page reads of a registry: both registries have it, and that on Redis returns promises. */
export interface InspectableRegistry {
  stats(): RegistryStats | Promise<RegistryStats>
  health(): RegistryHealth | Promise<RegistryHealth>
  inspect(): InspectedSession[] | Promise<InspectedSession[]>
  /** The ids of live sessions: the one to end is found by its `ref`. */
  keys(): Iterable<string> | AsyncIterable<string>
  ref(id: string): string
  delete(id: string): boolean | Promise<boolean>
}

/**
 * Returns the registries that are passed, as an array of their own.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkRegistries(
  given: InspectableRegistry | readonly InspectableRegistry[],
): InspectableRegistry[] {
  const registries: InspectableRegistry[] = Array.isArray(given) ? [...given] : [given]
  for (const one of registries)
    if (!isRegistry(one)) throw invalidOption('registries', 'an array of session registries', one)
  return registries
}

const members = ['stats', 'health', 'inspect', 'keys', 'ref', 'delete'] as const

/** A registry may be of another copy of the library, so it is recognised by its members. */
function isRegistry(given: InspectableRegistry | undefined | null): boolean {
  return members.every((member) => typeof given?.[member] === 'function')
}
