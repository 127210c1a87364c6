import type { SessionStore } from 'session-registry'
import { type StoreContractOptions, storeContract } from 'session-registry/testing'
import { describe, it } from 'vitest'

/** Runs the contract of stores as tests of one suite. */
export function describeStore<S extends SessionStore>(
  name: string,
  makeStore: () => S | PromiseLike<S>,
  options?: StoreContractOptions<S>,
): void {
  describe(`the contract of stores, for ${name}`, () => {
    for (const check of storeContract(makeStore, options)) it(check.name, () => check.run(), 60_000)
  })
}

/** Runs only the checks of a back end that fails. */
export function describeFailures<S extends SessionStore>(
  name: string,
  makeStore: () => S,
  options: StoreContractOptions<S>,
): void {
  const checks = storeContract(makeStore, options).filter((check) =>
    check.name.includes('the back end fails'),
  )
  describe(`failures of ${name}`, () => {
    for (const check of checks) it(check.name, () => check.run(), 60_000)
  })
}

/**
 * One store out of several on the same back end, whose calls take turns: what races in it races between
 * processes, too.
 */
export function takingTurns(stores: readonly [SessionStore, ...SessionStore[]]): SessionStore {
  let calls = 0
  const next = () => {
    calls += 1
    return stores[calls % stores.length] ?? stores[0]
  }
  return {
    get: (id, context) => next().get(id, context),
    put: (session, context) => next().put(session, context),
    delete: (id, context) => next().delete(id, context),
    prune: async (before, limit) => (await next().prune?.(before, limit)) ?? [],
    owned: async (owner) => (await next().owned?.(owner)) ?? [],
  }
}
