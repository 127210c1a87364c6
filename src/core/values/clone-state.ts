import { invalidValue } from '../errors/invalid-value.ts'
import { cloneValue } from './clone-value.ts'

/**
 * Returns a deep copy, by {@link cloneValue}, of the state that a framework stores; `undefined` and `null`
 * stay as they are.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`, also for a value of which a copy keeps nothing: a
 *   function, a symbol
 */
export function cloneState<V>(value: V): V {
  const copy = cloneValue('value', value)
  if (copy === undefined && value !== undefined) throw invalidValue('value', 'data that can be copied', value)
  return copy
}
