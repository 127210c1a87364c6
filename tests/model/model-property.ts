import { expect, it } from 'vitest'
import fc from '../support/fast-check.ts'
import { commands, crowdedCommands, crowdedOptions, options } from './commands.ts'
import { ModelHarness } from './model-harness.ts'

/** Defines the tests that compare a registry with its model. */
export function compareWithModel(subject: string): void {
  it.each([
    ['whatever it is told and however time passes', options, commands, true],
    ['also as to who is evicted from a crowd', crowdedOptions, crowdedCommands, true],
    ['also where nobody is told of a creation', options, commands, false],
  ] as const)(
    `property: ${subject} behaves like a plain array, %s`,
    (_what, givenOptions, givenCommands, isCreationObserved) => {
      fc.assert(
        fc.property(givenOptions, givenCommands, (given, told) => {
          const harness = new ModelHarness(given, { isCreationObserved })
          for (const command of told) harness.do(command)
          expect(harness.registry.stats().listenerErrors).toBe(0)
        }),
        { numRuns: 500 },
      )
    },
    60_000,
  )
}
