import { checkCreate, checkSignal } from './call-options.ts'
import type { CreateSession } from './hooks.ts'
import type { RunOptions, Turn, WhenBusy } from './turn.ts'
import { checkFunction, checkId, checkOneOf, checkOptions } from './validate.ts'

/** The options of a `run` with every default filled in. */
export interface CheckedRun<T> {
  readonly whenBusy: WhenBusy
  readonly signal: AbortSignal | undefined
  readonly create: boolean | CreateSession<T>
}

/** @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID` */
export function checkRun<T, R>(
  id: string,
  turn: Turn<T, R>,
  options: RunOptions<T> | undefined,
): CheckedRun<T> {
  checkId(id)
  checkFunction('turn', turn)
  if (options === undefined) return { whenBusy: 'wait', signal: undefined, create: true }
  const given = checkOptions('options', options, ['whenBusy', 'signal', 'create'])
  const { whenBusy = 'wait', signal, create } = given
  return {
    whenBusy: checkOneOf('whenBusy', whenBusy, ['wait', 'reject', 'interrupt', 'join']),
    signal: checkSignal(signal),
    create: checkCreate(create),
  }
}
