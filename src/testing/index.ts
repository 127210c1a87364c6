export { ManualClock } from './manual-clock.ts'
export { type StoreCheck, type StoreContractOptions, storeContract } from './store-contract.ts'
