import fc from '../support/fast-check.ts'
import type { ModelOptions } from './model.ts'

export type Command =
  | {
      readonly do: 'getOrCreate' | 'set' | 'replace'
      readonly id: string
      readonly timeoutMs: number | undefined
    }
  | { readonly do: 'assignTimeout'; readonly id: string; readonly timeoutMs: number | undefined }
  | { readonly do: 'get' | 'touch' | 'peek' | 'has' | 'delete' | 'hold' | 'release'; readonly id: string }
  | { readonly do: 'clear' | 'sweep' | 'iterate' }
  | { readonly do: 'advance'; readonly ms: number }

const never = Number.POSITIVE_INFINITY

/**
 * Short and long timeouts, so that deadlines coincide, with ticks below and above a millisecond.
 */
const timeouts = [1, 7, 100, 1_000, 1_001, 50_000, 4_000_000]

export const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')
const ownTimeout = fc.option(fc.constantFrom(...timeouts, never), { nil: undefined, freq: 3 })

export const options: fc.Arbitrary<ModelOptions> = fc.record({
  timeoutMs: fc.constantFrom(...timeouts, never),
  intervalMs: fc.constantFrom(500, 1_000, 300_000),
  maxAgeMs: fc.constantFrom(never, 50, 2_500, 90_000),
  maxSessions: fc.constantFrom(never, 1, 2, 4),
  whenFull: fc.constantFrom('evict', 'reject'),
})

/** Advances of every size, and some to the neighbourhood of a deadline. */
const step = fc.oneof(
  fc.nat(20),
  fc.nat(3_000),
  fc.nat(100_000),
  fc.constantFrom(...timeouts.flatMap((ms) => [ms - 1, ms, ms + 1])),
)

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('getOrCreate', 'set', 'replace'), id, timeoutMs: ownTimeout }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('get', 'touch', 'peek', 'has'), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('delete'), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('hold', 'release'), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('assignTimeout'), id, timeoutMs: ownTimeout }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('sweep', 'iterate') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear') }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance'), ms: step }) },
) as fc.Arbitrary<Command>

export const commands = fc.array(command, { maxLength: 60, size: 'max' })

/** A full registry, in which ticks of 100 ms decide which session is evicted. */
export const crowdedOptions: fc.Arbitrary<ModelOptions> = fc.record({
  timeoutMs: fc.constantFrom(12_800, never),
  intervalMs: fc.constantFrom(500, 300_000),
  maxAgeMs: fc.constant(never),
  maxSessions: fc.constantFrom(3, 4),
  whenFull: fc.constant('evict'),
})

const crowdedTimeout = fc.option(fc.constantFrom(12_700, 12_800, 25_600, never), { nil: undefined, freq: 3 })

const crowdedCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('set', 'replace'), id, timeoutMs: fc.constant(undefined) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('touch'), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('hold', 'release', 'sweep', 'iterate'), id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('assignTimeout'), id, timeoutMs: crowdedTimeout }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.nat(130) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.integer({ min: 12_400, max: 12_800 }) }),
  },
) as fc.Arbitrary<Command>

export const crowdedCommands = fc.array(crowdedCommand, { maxLength: 60, size: 'max' })
