/** The members of a Keyv, of version 5.5 or newer, or 6, that the store uses. */
export interface KeyvLike {
  getRaw(key: string): PromiseLike<unknown>
  set(key: string, value: string, ttl?: number): PromiseLike<boolean>
  delete(key: string): PromiseLike<boolean>
  on(event: 'error', listener: (error: unknown) => void): unknown
}
