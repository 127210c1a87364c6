import type { StoreUnderTest } from './store-under-test.ts'

/** The feature that a check needs, besides `get`, `put` and `delete`. */
type Need = 'compares' | 'fail'

/** One promise of the contract, with its check on a new, empty store. */
export interface Check {
  readonly name: string
  readonly needs?: Need
  run(subject: StoreUnderTest, fail: () => Promise<void>): Promise<void>
}
