/**
 * A store on unstorage: {@link unstorageStore}.
 *
 * @module
 */
export type { UnstorageDriver, UnstorageLike } from './unstorage/unstorage-like.ts'
export { unstorageStore } from './unstorage/unstorage-store.ts'
