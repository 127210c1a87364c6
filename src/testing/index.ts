/**
 * For tests: a clock that moves only when you move it, and the checks that every store must pass.
 *
 * @module
 */
export { ManualClock } from './manual-clock.ts'
export { type StoreCheck, type StoreContractOptions, storeContract } from './store-contract.ts'
