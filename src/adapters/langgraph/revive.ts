import { isSameName, messageClassOf } from './message-classes.ts'

/** What {@link revive} returns for a value that only the serializer itself can read. */
export const unknownForm = Symbol('unknown form')

/**
 * Returns the value of parsed JSON of LangGraph's serializer, as the serializer would: plain data, and
 * LangChain's messages of plain data.
 *
 * Not by the serializer, which awaits each field of each message.
 */
export function revive(parsed: unknown): unknown {
  return reviveIn(parsed, false)
}

type Fields = Readonly<Record<string, unknown>>

/** `isInMessage` if the value is in a message, where `undefined` has the form that plain JSON has for it. */
function reviveIn(parsed: unknown, isInMessage: boolean): unknown {
  if (typeof parsed !== 'object' || parsed === null) return parsed
  if (Array.isArray(parsed)) return reviveList(parsed, isInMessage)
  if (!Object.hasOwn(parsed, 'lc')) return reviveFields(parsed as Fields, isInMessage)
  const { lc, type } = parsed as Fields
  if (lc === 2 && type === 'undefined' && Object.keys(parsed).length === 2) return undefined
  return isInMessage ? unknownForm : reviveMessage(parsed as Fields)
}

function reviveList(parsed: readonly unknown[], isInMessage: boolean): unknown {
  const list: unknown[] = []
  for (const one of parsed) {
    const value = reviveIn(one, isInMessage)
    if (value === unknownForm) return unknownForm
    list.push(value === undefined && isInMessage ? null : value)
  }
  return list
}

function reviveFields(parsed: Fields, isInMessage: boolean): unknown {
  const fields: Record<string, unknown> = {}
  for (const key of Object.keys(parsed)) {
    // The serializer would set the prototype, and `load` would take what is escaped out.
    if (key === '__proto__' || key === '__lc_escaped__') return unknownForm
    const value = reviveIn(parsed[key], isInMessage)
    if (value === unknownForm) return unknownForm
    if (value !== undefined || !isInMessage) fields[key] = value
  }
  return fields
}

function reviveMessage({ lc, type, id, kwargs }: Fields): unknown {
  if (lc !== 1 || type !== 'constructor' || !Array.isArray(id)) return unknownForm
  const messageClass = messageClassOf(id)
  if (messageClass === undefined || !isFields(kwargs)) return unknownForm
  const fields = reviveFields(kwargs, true)
  if (fields === unknownForm) return unknownForm
  const hasSameNames = Object.keys(fields as Fields).every((field) => isSameName(messageClass, field))
  return hasSameNames ? new messageClass(fields as never) : unknownForm
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.hasOwn(value, 'lc')
}
