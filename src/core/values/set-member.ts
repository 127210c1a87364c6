/**
 * Sets a property that an object is to have itself, whatever its name: assigning `__proto__` would exchange
 * the prototype.
 */
export function setMember(target: object, key: string, value: unknown): void {
  if (key !== '__proto__') {
    ;(target as Record<string, unknown>)[key] = value
    return
  }
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}
