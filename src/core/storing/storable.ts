import { invalidValue } from '../errors/invalid-value.ts'
import type { StoredSession } from '../store.ts'

/**
 * Checks what a store cannot keep as it is: databases cut text off at U+0000, or replace lone surrogates.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
 */
export function checkStorable(session: StoredSession): void {
  checkKeptText('text', session.text)
  checkKeptText('revision', session.revision)
  checkMoment('createdAt', session.createdAt)
  checkMoment('lastActiveAt', session.lastActiveAt)
}

function checkKeptText(name: string, text: string): void {
  // Node 20 has the method; the language level of the build does not declare it yet.
  const { isWellFormed } = text as string & { isWellFormed(): boolean }
  if (typeof text === 'string' && isWellFormed.call(text) && !text.includes('\0')) return
  throw invalidValue(name, 'a string without lone surrogates and U+0000', text)
}

function checkMoment(name: string, value: number): void {
  if (!Number.isFinite(value)) throw invalidValue(name, 'a finite number', value)
}
