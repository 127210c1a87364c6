/** Sets an own property, whatever its name: an assignment of `__proto__` would replace the prototype. */
export function setMember(target: object, key: string, value: unknown): void {
  if (key !== '__proto__') {
    ;(target as Record<string, unknown>)[key] = value
    return
  }
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}
