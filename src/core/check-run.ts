import type { RunOptions, Turn, WhenBusy } from './turn.ts'
import { checkBoolean, checkFunction, checkId, checkOneOf, checkOptions, invalidOption } from './validate.ts'

/** The options of a `run` with every default filled in. */
export interface CheckedRun {
  readonly whenBusy: WhenBusy
  readonly signal: AbortSignal | undefined
  readonly create: boolean
}

/** @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID` */
export function checkRun<T, R>(id: string, turn: Turn<T, R>, options: RunOptions | undefined): CheckedRun {
  checkId(id)
  checkFunction('turn', turn)
  if (options === undefined) return { whenBusy: 'wait', signal: undefined, create: true }
  const given = checkOptions('options', options, ['whenBusy', 'signal', 'create'])
  const { whenBusy = 'wait', signal, create = true } = given
  return {
    whenBusy: checkOneOf('whenBusy', whenBusy, ['wait', 'reject', 'interrupt', 'join']),
    signal: signal === undefined ? undefined : checkSignal('signal', signal),
    create: checkBoolean('create', create),
  }
}

/** An `AbortSignal`, of this realm or another, or of a polyfill. */
function checkSignal(name: string, signal: AbortSignal): AbortSignal {
  const usable =
    typeof signal === 'object' &&
    signal !== null &&
    typeof signal.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function'
  if (!usable) throw invalidOption(name, 'an AbortSignal', signal)
  return signal
}
