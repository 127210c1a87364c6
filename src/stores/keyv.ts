/**
 * A store on Keyv: {@link keyvStore}.
 *
 * @module
 */
export type { KeyvLike } from './keyv/keyv-like.ts'
export { keyvStore } from './keyv/keyv-store.ts'
