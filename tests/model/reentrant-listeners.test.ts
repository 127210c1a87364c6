import { isSessionRegistryError, SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { expect, it } from 'vitest'
import fc from '../support/fast-check.ts'
import { id, options } from './commands.ts'

const call = fc.record({
  member: fc.constantFrom(
    'getOrCreate',
    'set',
    'replace',
    'get',
    'touch',
    'delete',
    'clear',
    'sweep',
    'iterate',
    'peek',
    'throw',
  ),
  id,
  ms: fc.constantFrom(0, 1, 7, 100, 1_000),
})
const broken = new Error('the listener is broken')

type Call = typeof call extends fc.Arbitrary<infer C> ? C : never

function make(registry: SessionRegistry<number>, { member, id }: Call): void {
  if (member === 'getOrCreate') registry.getOrCreate(id, () => 0)
  else if (member === 'set' || member === 'replace') registry[member](id, 0)
  else if (member === 'clear' || member === 'sweep') registry[member]()
  else if (member === 'iterate') void [...registry]
  else if (member === 'throw') throw broken
  else registry[member](id)
}

it('property: any re-entrant listener: one `created` before one `ended` per session, and the cap holds', () => {
  fc.assert(
    fc.property(
      options,
      fc.array(call, { maxLength: 20 }),
      fc.array(call, { maxLength: 60 }),
      (given, told, replies) => {
        const clock = new ManualClock()
        const registry = new SessionRegistry<number>({ ...given, clock })
        const alive = new Set<object>()
        const ended = new Set<object>()
        let most = 0
        let left = [...replies]
        const reply = () => {
          most = Math.max(most, registry.size)
          const next = left.pop()
          if (next !== undefined) make(registry, next)
        }
        // What the registry contains is what these listeners expect, too.
        const failures: unknown[] = []
        registry.on('error', (error) => {
          if (error !== broken && !isSessionRegistryError(error, 'ERR_SESSION_REGISTRY_FULL'))
            failures.push(error)
        })
        registry.on('created', (session) => {
          expect(alive.has(session) || ended.has(session)).toBe(false)
          alive.add(session)
        })
        let expiring: object | undefined
        registry.on('expired', (session) => {
          expect(alive.has(session)).toBe(true)
          expiring = session
        })
        registry.on('ended', (session, reason) => {
          expect(alive.delete(session)).toBe(true)
          ended.add(session)
          expect(expiring).toBe(reason === 'idle' || reason === 'age' ? session : undefined)
          expiring = undefined
        })
        for (const event of ['created', 'expired', 'ended', 'swept'] as const) registry.on(event, reply)
        for (const one of told) {
          try {
            make(registry, one)
          } catch {
            // Full, or the call that throws.
          }
          clock.advance(one.ms)
          left = left.length === 0 ? [...replies] : left
        }
        left = []

        expect(most).toBeLessThanOrEqual(given.maxSessions)
        expect(alive.size).toBe(registry.size)
        registry.clear()
        expect(alive.size).toBe(0)
        expect(ended.size).toBe(registry.stats().created)
        expect(failures).toEqual([])
      },
    ),
    { numRuns: 500 },
  )
}, 60_000)
