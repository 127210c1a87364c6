import { describe, expect, it } from 'vitest'
import { readStoredState, stateOfStored, storedStateText } from '../../../src/redis/storing/stored-state.ts'
import { storedSession } from '../../support/store-session.ts'

describe('what Redis keeps of a session for the store', () => {
  it.each([
    {},
    { createdAt: 5 },
    { createdAt: 5, saved: { version: 'v-1', timeoutMs: undefined, owner: undefined, lastActiveAt: 7 } },
    {
      createdAt: 5,
      saved: {
        version: 'v-1',
        timeoutMs: Number.POSITIVE_INFINITY,
        owner: 'eve\nlace "\u2028\ud800',
        lastActiveAt: 7.5,
      },
    },
  ])('survives as text: %o', (state) => {
    expect(readStoredState(storedStateText(state))).toEqual(state)
  })

  it('loses only the saved state with its second line, which a script removes', () => {
    const stored = storedSession({ owner: 'eve\nlace', timeoutMs: 9 })
    const [first = '', ...rest] = storedStateText(stateOfStored(stored, 'v-1')).split('\n')

    expect(rest).toHaveLength(1)
    expect(readStoredState(first)).toEqual({ createdAt: stored.createdAt })
  })

  it('is nothing for a session that was not read from a store', () => {
    expect(readStoredState('')).toEqual({})
  })

  it('is the creation time alone where a script has written it', () => {
    expect(readStoredState('{"createdAt":1764000000000}')).toEqual({ createdAt: 1_764_000_000_000 })
  })
})
