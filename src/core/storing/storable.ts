import { isStorableText } from '../codec/codec.ts'
import { invalidValue } from '../errors/invalid-value.ts'
import type { StoredSession } from '../store.ts'

/**
 * Checks that databases store every field of a session unchanged.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
 */
export function checkStorable(session: StoredSession): void {
  checkText('text', session.text)
  checkText('revision', session.revision)
  checkInstant('createdAt', session.createdAt)
  checkInstant('lastActiveAt', session.lastActiveAt)
}

function checkText(name: string, text: unknown): void {
  if (!isStorableText(text)) throw invalidValue(name, 'well-formed text without U+0000', text)
}

function checkInstant(name: string, value: unknown): void {
  if (!Number.isFinite(value)) throw invalidValue(name, 'a finite number', value)
}
