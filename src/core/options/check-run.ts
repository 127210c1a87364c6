import type { CreateSession } from '../hooks.ts'
import type { RunOptions, Turn, WhenBusy } from '../turns/turn.ts'
import { checkCreate, checkOwner, checkSignal } from './call-options.ts'
import { checkFunction, checkId, checkNotNegative, checkOneOf, checkOptions } from './validate.ts'

/** The options of a `run` with every default filled in. */
export interface CheckedRun<T> {
  readonly whenBusy: WhenBusy
  /** The longest time until the turn begins, in milliseconds. */
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
  readonly create: boolean | CreateSession<T>
  readonly owner: string | undefined
}

/** @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID` */
export function checkRun<T, R>(
  id: string,
  turn: Turn<T, R>,
  options: RunOptions<T> | undefined,
): CheckedRun<T> {
  checkId(id)
  checkFunction('turn', turn)
  if (options === undefined) return defaults
  const given = checkOptions('options', options, ['whenBusy', 'waitMs', 'signal', 'create', 'owner'])
  const { whenBusy = defaults.whenBusy, waitMs = defaults.waitMs, signal, create, owner } = given
  const checked = checkOneOf('whenBusy', whenBusy, ['wait', 'reject', 'interrupt', 'join'])
  const waits = checkNotNegative('waitMs', waitMs) > 0
  return {
    // A turn that joins does not wait for other turns.
    whenBusy: waits || checked === 'join' ? checked : 'reject',
    waitMs: waits ? waitMs : Number.POSITIVE_INFINITY,
    signal: checkSignal(signal),
    create: checkCreate(create),
    owner: owner === undefined ? undefined : checkOwner('owner', owner),
  }
}

const defaults = {
  whenBusy: 'wait',
  waitMs: Number.POSITIVE_INFINITY,
  signal: undefined,
  create: true,
  owner: undefined,
} as const
