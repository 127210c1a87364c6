import { storeRuleError } from '../errors/store-errors.ts'
import { kindOf } from '../options/validate.ts'
import type { DeleteContext, PutContext, SessionStore, StoreContext, StoredSession } from '../store.ts'

/** Makes calls, and takes note of their outcomes. */
export interface CallWatcher {
  call<R>(call: () => R, context: { readonly signal: AbortSignal }): R
}

/**
 * A store of the user, whose results are checked: a wrong one rejects, and is never taken for a miss or a
 * success. The errors are those of the store; the caller wraps them.
 */
export class CheckedStore {
  readonly #store: SessionStore
  #watcher: CallWatcher | undefined

  constructor(store: SessionStore) {
    this.#store = store
  }

  get canPrune(): boolean {
    return this.#store.prune !== undefined
  }

  get canFindOwned(): boolean {
    return this.#store.owned !== undefined
  }

  /** Has each read, write and deletion watched. */
  watchBy(watcher: CallWatcher): void {
    this.#watcher = watcher
  }

  get(id: string, context: StoreContext): Promise<StoredSession | undefined> {
    return this.#call(context, async () => {
      const found: unknown = await this.#store.get(id, context)
      return found === undefined ? undefined : checkStored(found, id)
    })
  }

  put(session: StoredSession, context: PutContext): Promise<boolean> {
    return this.#call(context, async () => {
      const isWritten: unknown = await this.#store.put(session, context)
      if (typeof isWritten === 'boolean') return isWritten
      throw storeRuleError('put', 'a boolean', kindOf(isWritten))
    })
  }

  delete(id: string, context: DeleteContext): Promise<void> {
    return this.#call(context, async () => {
      await this.#store.delete(id, context)
    })
  }

  /**
   * Deletes sessions that were last active before an instant, in epoch milliseconds. Returns their number.
   */
  async prune(before: number, limit: number): Promise<number> {
    return checkIds('prune', await this.#store.prune?.(before, limit)).length
  }

  /** Returns the ids of the sessions of an owner. */
  async owned(owner: string): Promise<readonly string[]> {
    return checkIds('owned', await this.#store.owned?.(owner))
  }

  async close(): Promise<void> {
    await this.#store.close?.()
  }

  #call<R>(context: StoreContext, call: () => Promise<R>): Promise<R> {
    return this.#watcher === undefined ? call() : this.#watcher.call(call, context)
  }
}

function checkIds(method: string, ids: unknown): readonly string[] {
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids
  throw storeRuleError(method, 'an array of ids', kindOf(ids))
}

function checkStored(found: unknown, id: string): StoredSession {
  if (typeof found !== 'object' || found === null)
    throw storeRuleError('get', 'a session or `undefined`', kindOf(found))
  const { text, revision, createdAt, lastActiveAt, timeoutMs, owner } = found as StoredSession
  if ((found as StoredSession).id !== id) throw storeRuleError('get', 'the session of the id', 'another one')
  checkField('text', typeof text === 'string', 'a string', text)
  checkField('revision', typeof revision === 'string', 'a string', revision)
  checkField('createdAt', Number.isFinite(createdAt), 'a finite number', createdAt)
  checkField('lastActiveAt', Number.isFinite(lastActiveAt), 'a finite number', lastActiveAt)
  const hasTimeout = typeof timeoutMs === 'number' && timeoutMs > 0
  checkField('timeoutMs', timeoutMs === undefined || hasTimeout, 'a positive number', timeoutMs)
  const hasOwner = typeof owner === 'string' && owner.length > 0
  checkField('owner', owner === undefined || hasOwner, 'a non-empty string', owner)
  return { id, text, revision, createdAt, lastActiveAt, timeoutMs, owner }
}

function checkField(name: string, isRight: boolean, rule: string, got: unknown): void {
  if (!isRight) throw storeRuleError('get', `a session whose \`${name}\` is ${rule}`, kindOf(got))
}
