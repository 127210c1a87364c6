import { onTestFinished } from 'vitest'

/**
 * Sets properties that every plain object inherits, as a merge of hostile JSON does, for the rest of a test.
 */
export function pollute(properties: Readonly<Record<string, unknown>>): void {
  const { prototype } = Object
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(prototype, name, { value, configurable: true, enumerable: true, writable: true })
  }
  onTestFinished(() => {
    for (const name of Object.keys(properties)) Reflect.deleteProperty(prototype, name)
  })
}
