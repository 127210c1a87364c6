import { checkBoolean, checkFunction, checkOptions } from '../core/options/validate.ts'
import type { SessionStore } from '../core/store.ts'
import type { Check } from './store-contract/check.ts'
import { comparing } from './store-contract/comparing.ts'
import { failing } from './store-contract/failing.ts'
import { keeping } from './store-contract/keeping.ts'
import { owning, pruning } from './store-contract/pruning.ts'
import { StoreUnderTest } from './store-contract/store-under-test.ts'

/** A check of one promise of a `SessionStore`, for any test runner. */
export interface StoreCheck {
  /** The promise, as the title of a test. */
  readonly name: string
  /**
   * Creates a store and checks it. Rejects with the reason if the promise is broken. Needs real timers, and a
   * second at most.
   */
  run(): Promise<void>
}

/** Options of {@link storeContract}. */
export interface StoreContractOptions<S extends SessionStore = SessionStore> {
  /**
   * Whether the store compares `replaces` with the stored revision in one step with the write. `false` leaves
   * out the checks of that.
   *
   * @defaultValue true
   */
  readonly compares?: boolean | undefined
  /**
   * Breaks the back end of a store, for example closes its database. `get`, `put` and `delete` must reject
   * after that. Without it, this is not checked.
   */
  readonly fail?: ((store: S) => unknown) | undefined
}

/**
 * Returns checks of the whole contract of a `SessionStore`.
 *
 * `makeStore` returns a new, empty store, or a promise of one; it is called once for each check. The store is
 * closed after the check, if it has `close`.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * for (const { name, run } of storeContract(() => myStore(newFolder()))) test(name, run)
 */
export function storeContract<S extends SessionStore>(
  makeStore: () => S | PromiseLike<S>,
  options?: StoreContractOptions<S>,
): StoreCheck[] {
  checkFunction('makeStore', makeStore)
  const { compares = true, fail } = checkOptions('options', options, ['compares', 'fail'])
  checkBoolean('compares', compares)
  if (fail !== undefined) checkFunction('fail', fail)
  const isChecked = ({ needs }: Check) =>
    needs === undefined || (needs === 'compares' ? compares : fail !== undefined)
  return [...keeping, ...comparing, ...pruning, ...owning, ...failing].filter(isChecked).map((check) => ({
    name: check.name,
    async run() {
      const store = await makeStore()
      try {
        await check.run(new StoreUnderTest(store), async () => {
          await fail?.(store)
        })
      } finally {
        // A broken store may be unable to close.
        if (check.needs === 'fail') await Promise.resolve(store.close?.()).catch(() => {})
        else await store.close?.()
      }
    },
  }))
}
