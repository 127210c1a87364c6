/** The members of a storage of unstorage that the store uses. */
export interface UnstorageLike {
  getItem(key: string): PromiseLike<unknown>
  setItem(key: string, value: string): PromiseLike<unknown>
  removeItem(key: string): PromiseLike<unknown>
  getMount?(key?: string): { readonly base: string; readonly driver: UnstorageDriver }
  getMounts?(base?: string, options?: { parents?: boolean }): readonly { readonly driver: UnstorageDriver }[]
}

/** The members of a driver of unstorage that the store checks. */
export interface UnstorageDriver {
  readonly name?: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: each driver has options of its own type.
  readonly options?: any
}
