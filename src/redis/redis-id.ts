import { hasLoneSurrogate } from '../core/codec/codec.ts'
import { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { checkId } from '../core/options/validate.ts'

/**
 * Returns an id that Redis can keep: UTF-8 has no lone surrogates, so ids that differ only in them would be
 * one.
 *
 * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
 */
export function checkRedisId(id: string): string {
  if (!hasLoneSurrogate(checkId(id))) return id
  throw new SessionRegistryError(
    'ERR_SESSION_ID_INVALID',
    'Expected the session id to be well-formed text, got a string with a lone surrogate',
  )
}
