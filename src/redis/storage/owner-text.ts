import { hasLoneSurrogate } from '../../core/codec/codec.ts'
import type { ResolvedRedisOptions } from '../options.ts'

/** The first character of an owner that is escaped. */
const escapeMark = '"'

/**
 * Returns an owner as Redis keeps it; '' for none. Different owners have different texts: UTF-8 has no lone
 * surrogates, so an owner with one is written as JSON, and so is one that would be taken for such a text.
 */
export function ownerText(owner: string | undefined): string {
  if (owner === undefined) return ''
  return hasLoneSurrogate(owner) || owner.startsWith(escapeMark) ? JSON.stringify(owner) : owner
}

/** Returns the owner of a text that {@link ownerText} returned. */
export function readOwner(text: string): string | undefined {
  if (text === '') return undefined
  return text.startsWith(escapeMark) ? JSON.parse(text) : text
}

/**
 * Returns the states of an id, besides a live session, whose owner matters for a session that takes their
 * place: `creation.lua.ts`.
 */
export function comparedStates<T>({ canArchive, canLoad, storage }: ResolvedRedisOptions<T>): string {
  return [canArchive && 'q', canLoad && 'z', storage !== undefined && 's'].filter(Boolean).join('')
}
