/** What a client threw, read by its shape: in Jest or a `vm` context it is not an instance of our `Error`. */
export interface ClientError {
  readonly name: string
  readonly message: string
  readonly code: string | number | undefined
  readonly stack: string | undefined
  readonly cause: unknown
  /** The names of its class and of the superclasses. */
  readonly classes: readonly string[]
}

export function readError(thrown: unknown): ClientError {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Readonly<
    Record<string, unknown>
  >
  const { name, message, code, stack, cause } = error
  return {
    name: typeof name === 'string' ? name : 'Error',
    message:
      typeof message === 'string' ? message : `The client rejected with a value of type ${typeof thrown}`,
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    stack: typeof stack === 'string' ? stack : undefined,
    cause,
    classes: classesOf(error),
  }
}

/** Redis begins every error with a word in capitals; GLIDE puts it before a colon. */
const leadingCode = /^-?([A-Z][A-Z0-9]+)(?:: | )/

/** GLIDE renames some of these codes, such as `TryAgain` or `NoScriptError`. */
const glideCode = /signalled by the server: - (\w+): /

/** Redis 6.2 puts the error of a command in a script behind its position in the script. */
const codeInScript = /@user_script: ?\d+: -([A-Z][A-Z0-9]+) /

/** A code of the operating system, such as ECONNRESET, not of the server. */
const systemCode = /^E(?!RR$|XECABORT$)[A-Z0-9]+$/

/** Returns the code of an error reply, such as `OOM`; `undefined` where no reply came. */
export function serverCode({ name, message, classes }: ClientError): string | undefined {
  const fromGlide = glideCode.exec(message)?.[1]
  if (fromGlide !== undefined) return glideCodeOf(fromGlide)
  const leading = leadingCode.exec(message)?.[1]
  const inScript = codeInScript.exec(message)?.[1]
  if (leading === 'ERR' && inScript !== undefined) return inScript
  if (leading !== undefined && !systemCode.test(leading)) return leading
  return name === 'ReplyError' || classes.includes('ErrorReply') ? 'ERR' : undefined
}

function glideCodeOf(name: string): string {
  const code = name.replace(/Error$/, '').toUpperCase()
  if (code === 'RESPONSE') return 'ERR'
  return code === 'BUSYLOADING' ? 'LOADING' : code
}

/** The depth to which causes are copied. */
const maxDepth = 3

/**
 * What servers and REST clients write before they quote a call, or the whole pipeline that it was sent in.
 */
const callQuotes = ['with args beginning with', 'command was:']

/**
 * Returns a copy of what a client threw, without the arguments of the call.
 *
 * Ids and values are in there, as `command.args` or quoted in the message, and errors end up in logs. A
 * quoted call has its keys before its arguments, so the message is cut off where the first key begins.
 */
export function redactArguments(thrown: unknown, keys: readonly string[], depth = 1): Error {
  const { name, message, code, stack, cause } = readError(thrown)
  const text = truncateBeforeArguments(message, keys)
  const options =
    cause === undefined || depth === maxDepth ? {} : { cause: redactArguments(cause, keys, depth + 1) }
  const copy = new Error(text, options)
  Object.defineProperty(copy, 'name', { value: name, enumerable: false, configurable: true, writable: true })
  Object.defineProperty(copy, 'stack', {
    value:
      stack === undefined
        ? `${name}: ${text}`
        : truncateBeforeArguments(stack.replaceAll(message, text), keys),
    enumerable: false,
    configurable: true,
    writable: true,
  })
  return code === undefined ? copy : Object.assign(copy, { code })
}

function truncateBeforeArguments(text: string, [key = '']: readonly string[]): string {
  // The prefix of all keys of the registry.
  const start = key.slice(0, Math.max(key.indexOf('}'), 0)).replace(/:\d+$/, '')
  const starts = start === '' ? [] : [start, JSON.stringify(start).slice(1, -1)]
  const found = [...callQuotes, ...starts].map((quoted) => text.indexOf(quoted)).filter((at) => at >= 0)
  return found.length === 0 ? text : `${text.slice(0, Math.min(...found))}…`
}

function classesOf(error: object): string[] {
  const names: string[] = []
  for (
    let type: unknown = error.constructor;
    typeof type === 'function';
    type = Object.getPrototypeOf(type)
  ) {
    names.push(type.name)
  }
  return names
}
