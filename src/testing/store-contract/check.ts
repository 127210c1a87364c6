import type { StoreUnderTest } from './store-under-test.ts'

/** What a check needs of a store, besides `get`, `put` and `delete`. */
type Need = 'compares' | 'fail'

/** One promise of the contract, and how to find out whether a new, empty store keeps it. */
export interface Check {
  readonly name: string
  readonly needs?: Need
  run(subject: StoreUnderTest, fail: () => Promise<void>): Promise<void>
}
