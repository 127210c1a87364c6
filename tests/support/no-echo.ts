import { inspect } from 'node:util'
import { isSessionRegistryError } from 'session-registry'
import { expect, it } from 'vitest'

/** A marker for an id, or for a visitor's message. */
const marker = 'Marker-4711 of a visitor'

/** One value of each kind, each of which shows the marker when it is printed. */
const marked: Readonly<Record<string, () => unknown>> = {
  'a string': () => marker,
  'a long string': () => marker.repeat(60),
  'a number': () => -4711.4711,
  'a bigint': () => 47114711n,
  'a symbol': () => Symbol(marker),
  'a function': () => Object.assign(() => marker, { toString: () => marker }),
  'an array': () => [marker, { [marker]: marker }],
  'an object': () => ({ value: marker }),
  'an object with it as a key': () => ({ [marker]: 5 }),
  'an error': () => new Error(marker),
  'a map': () => new Map([[marker, marker]]),
  'an object that prints itself': () => ({ toString: () => marker, toJSON: () => marker, name: marker }),
}

/** A call with one argument, or part of an argument, as a parameter. */
export type OpenCall = (given: never) => unknown

/**
 * Calls each of these with a value of each kind, and expects that no error of the library shows anything of
 * the value: in its message, the first lines of its stack, its fields or its causes.
 */
export function describeNoEcho(calls: Readonly<Record<string, OpenCall>>): void {
  it.each(Object.entries(calls))('an error shows nothing of what was passed: %s', async (_name, call) => {
    let refusals = 0
    for (const [shape, make] of Object.entries(marked)) {
      const error = await errorOf(() => call(make() as never))
      if (error === undefined) continue
      refusals += 1
      expect(error, shape).toSatisfy(isSessionRegistryError)
      expect(shownOf(error as Error), shape).not.toMatch(/marker|4711.?4711/i)
    }
    expect(refusals).toBeGreaterThan(0)
  })
}

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    return error
  }
}

/** Returns everything that a log may show of an error. */
function shownOf(error: Error): string {
  const { stack = '', cause } = error
  const frames = stack.indexOf('\n    at ')
  const shown = [
    String(error),
    frames === -1 ? stack : stack.slice(0, frames),
    JSON.stringify(error),
    inspect({ ...Object.getOwnPropertyDescriptors(error), stack: undefined }, { depth: 9 }),
    cause instanceof Error ? shownOf(cause) : inspect(cause, { depth: 9 }),
  ].join('\n')
  // A number that is out of range is shown.
  return shown.replaceAll(/(number|integer).* got -4711\.4711 \(number\)/g, '')
}
