import { SessionRegistryError } from '../errors/session-registry-error.ts'
import { maxDelayMs } from '../time/clock.ts'
import { closestName } from './closest-name.ts'

/** The longest session id, in UTF-16 units. */
const maxIdLength = 1024

/**
 * Returns a valid session id. `place` is where the id was expected, if that is not plain from the call.
 *
 * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
 */
export function checkId(id: string, place?: string): string {
  if (typeof id === 'string' && id.length > 0 && id.length <= maxIdLength) return id
  throw invalidId(id, place)
}

/** A function of its own, so that V8 inlines the check. */
function invalidId(id: unknown, place: string | undefined): SessionRegistryError {
  // The message leaves the id out: it may be a secret.
  const got = typeof id === 'string' ? `a string of length ${id.length}` : id === null ? 'null' : typeof id
  return new SessionRegistryError(
    'ERR_SESSION_ID_INVALID',
    `Expected the session id${place === undefined ? '' : ` in ${place}`} to be a non-empty string of at most ${maxIdLength} UTF-16 units, got ${got}`,
  )
}

/**
 * The error of an invalid option or argument: its name, the rule, and the kind of what was got.
 *
 * Never the value: in the wrong place, it may be an id or the text of a visitor.
 */
export function invalidOption(name: string, rule: string, got: unknown): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    `Expected \`${name}\` to be ${rule}, got ${kindOf(got)}`,
  )
}

/** {@link invalidOption} for a number, which the message shows. */
export function invalidNumber(name: string, rule: string, got: unknown): SessionRegistryError {
  if (typeof got !== 'number') return invalidOption(name, rule, got)
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    `Expected \`${name}\` to be ${rule}, got ${got} (number)`,
  )
}

export function checkPositive(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value
  throw invalidNumber(name, 'a positive number or Infinity', value)
}

export function checkNotNegative(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value
  throw invalidNumber(name, 'zero, a positive number or Infinity', value)
}

/** Returns a delay that one host timer can keep, in milliseconds. */
export function checkInterval(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 1 && value <= maxDelayMs) return value
  throw invalidNumber(name, `a number from 1 to ${maxDelayMs}`, value)
}

export function checkCount(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number
  throw invalidNumber(name, 'an integer of at least 1', value)
}

export function checkLimit(name: string, value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return value as number
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number
  throw invalidNumber(name, 'an integer of at least 1 or Infinity', value)
}

export function checkWhole(name: string, value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return value as number
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw invalidNumber(name, 'an integer of at least 0 or Infinity', value)
}

// biome-ignore lint/complexity/noBannedTypes: any callable is accepted here; its own type stands in the options.
export function checkFunction<F extends Function>(name: string, value: F): F {
  if (typeof value === 'function') return value
  throw invalidOption(name, 'a function', value)
}

export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(name, 'a boolean', value)
}

export function checkText(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length > 0) return value
  throw invalidOption(name, 'a non-empty string', value)
}

export function checkOneOf<const V extends string>(name: string, value: unknown, allowed: readonly V[]): V {
  if (allowed.includes(value as V)) return value as V
  throw invalidOption(name, `one of ${allowed.map((one) => `'${one}'`).join(', ')}`, value)
}

/** Returns an object that is not an array. */
export function checkObject<O extends object>(name: string, value: O): O {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalidOption(name, 'an object', value)
}

/**
 * Returns the own options of an object, all of which must be known; `undefined` means none.
 *
 * They are read as `{ ...options }` reads them: own enumerable properties, each once. The result has no
 * prototype, so that a polluted `Object.prototype` adds no option.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkOptions<O extends object>(
  name: string,
  value: O | undefined,
  known: readonly string[],
): Partial<O> {
  const own: Partial<O> = Object.create(null)
  if (value === undefined) return own
  for (const key of Object.keys(checkObject(name, value)) as (keyof O & string)[]) {
    if (!known.includes(key)) throw unknownOption(name, known, key)
    own[key] = value[key]
  }
  return own
}

/** Returns the own enumerable properties of a foreign object, without a prototype that may be polluted. */
export function ownFields<O extends object>(object: O): O {
  return Object.assign(Object.create(null), object)
}

/** The shape of an option's name: only letters, and no more of them than our longest name has. */
const optionName = /^[a-z][A-Za-z]{0,19}$/

function unknownOption(name: string, known: readonly string[], key: string): SessionRegistryError {
  // Any other key may be an id, in an object that was passed instead of the options.
  const got = optionName.test(key) ? `\`${key}\`` : `another one (a string of length ${key.length})`
  const meant = closestName(key, known)
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    `Expected \`${name}\` to have only known options (${known.join(', ')}), got ${got}${meant === undefined ? '' : `; did you mean \`${meant}\`?`}`,
  )
}

/** Returns the kind of a value, the only thing that a message may show of it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (value === '') return 'an empty string'
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `a ${typeof value}`
}
