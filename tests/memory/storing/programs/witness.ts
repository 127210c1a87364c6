import { isSessionRegistryError, type SessionErrorCode, type StoredSession } from 'session-registry'

/** What a caller may be rejected with, and what an `error` may say, while a store fails. */
const allowed: readonly SessionErrorCode[] = [
  'ERR_SESSION_ARCHIVE_FAILED',
  'ERR_SESSION_ENDED',
  'ERR_SESSION_LOAD_TIMEOUT',
  'ERR_SESSION_NEEDS_OPEN',
  'ERR_SESSION_REGISTRY_CLOSED',
  'ERR_SESSION_REGISTRY_FULL',
  'ERR_SESSION_STORE_CONFLICT',
  'ERR_SESSION_STORE_FAILED',
]

/** A process as the witness sees it. */
interface Writer {
  readonly name: string
}

/** A message that a turn of the program says. */
export interface Message {
  readonly id: string
  readonly text: string
  readonly writer: Writer
  /** Steps of the witness, not time: the order of everything that happens. */
  readonly calledAt: number
  saidAt: number
  acknowledgedAt: number
}

interface Erasure {
  readonly id: string
  readonly writer: Writer
  readonly at: number
}

const notYet = Number.POSITIVE_INFINITY

/**
 * Records what a random program does and what the store takes, and every broken promise:
 *
 * - A message whose `run` resolved is in what a later turn finds that resolves, and in the store, unless it
 *   was deleted or overwritten.
 * - What was forgotten does not come back, and a process does not find what it has deleted.
 * - No message is there twice, or was never said.
 */
export class Witness {
  readonly problems: string[] = []
  readonly rejections = new Map<string, number>()
  readonly #messages = new Map<string, Message>()
  /** Calls that delete or overwrite. */
  readonly #calls: Erasure[] = []
  /** Effects in the store that do not compare: deletions, and first writes of a session that was set. */
  readonly #effects: Erasure[] = []
  readonly #reported = new Set<string>()
  readonly #forgotten = new Map<string, Set<string>>()
  /** What a process has deleted of its own, with the step of the call. */
  readonly #deleted: (Erasure & { readonly messages: ReadonlySet<string> })[] = []
  /** Whether no two processes run at the same time: then none has an old state in memory. */
  readonly isAlone: boolean
  #steps = 0
  acknowledged = 0
  forgotten = 0

  constructor({ isAlone }: { readonly isAlone: boolean }) {
    this.isAlone = isAlone
  }

  message(id: string, writer: Writer): Message {
    const text = String(this.#messages.size)
    const at = this.#next()
    const message = { id, text, writer, calledAt: at, saidAt: notYet, acknowledgedAt: notYet }
    this.#messages.set(text, message)
    return message
  }

  said(message: Message): void {
    message.saidAt = this.#next()
  }

  /** A turn begins, and finds these messages. */
  began({ id, writer, text, calledAt }: Message, found: readonly string[]): void {
    const by = `the turn of ${text} by ${writer.name}`
    if (this.isAlone) this.#expectAll(id, found, calledAt, `${by}, which began,`)
    for (const { messages, ...deletion } of this.#deleted) {
      if (deletion.id !== id || deletion.writer !== writer || deletion.at > calledAt) continue
      const back = found.filter((message) => messages.has(message))
      if (back.length > 0) this.#complain(`${by} finds [${back}], which were deleted from ${id}`)
    }
  }

  /** A run resolved, which found these messages as it began. */
  resolved(message: Message, found: readonly string[]): void {
    this.#expectAll(
      message.id,
      found,
      message.calledAt,
      `the turn of ${message.text} by ${message.writer.name}`,
    )
    message.acknowledgedAt = this.#next()
    this.acknowledged += 1
  }

  /** A closed registry reports that it could not write a session with these messages. */
  reported(id: string, messages: readonly string[]): void {
    for (const text of messages) if (this.#messages.get(text)?.id === id) this.#reported.add(text)
  }

  rejected(error: unknown): void {
    const code = allowed.find((one) => isSessionRegistryError(error, one))
    const isStrange = this.isAlone && code === 'ERR_SESSION_STORE_CONFLICT'
    if (code === undefined || isStrange) this.#complain(`a call was rejected with ${describe(error)}`)
    else this.rejections.set(code, (this.rejections.get(code) ?? 0) + 1)
  }

  failed(error: unknown): void {
    const isStrange = this.isAlone && isSessionRegistryError(error, 'ERR_SESSION_STORE_CONFLICT')
    if (isStrange || !allowed.some((code) => isSessionRegistryError(error, code)))
      this.#complain(`an error event: ${describe(error)}`)
  }

  /** A call that deletes or overwrites. Returns the messages that must not come back once it is done. */
  erases(id: string, writer: Writer): readonly Message[] {
    const at = this.#next()
    this.#calls.push({ id, writer, at })
    return [...this.#messages.values()].filter(
      (message) =>
        message.id === id && (message.writer === writer ? message.saidAt < at : message.acknowledgedAt < at),
    )
  }

  /** A call that deletes. Returns the messages that must not come back once it is done. */
  deletes(id: string, writer: Writer): readonly Message[] {
    const gone = this.erases(id, writer)
    const own = gone.filter((message) => message.writer === writer)
    this.#deleted.push({ id, writer, at: this.#steps, messages: new Set(own.map(({ text }) => text)) })
    return gone
  }

  /** A deletion is done: these may not come back. */
  isGone(id: string, messages: readonly Message[], stored: string | undefined): void {
    const gone = this.#forgotten.get(id) ?? new Set()
    this.#forgotten.set(id, gone)
    for (const { text } of messages) gone.add(text)
    this.forgotten += messages.length
    this.#expectNoneForgotten(id, stored === undefined ? [] : read(stored), 'the store after a deletion')
  }

  wrote(writer: Writer, { id, text }: StoredSession, replaces: string | null | undefined): void {
    const at = this.#next()
    if (replaces === undefined) this.#effects.push({ id, writer, at })
    const messages = read(text)
    if (new Set(messages).size !== messages.length) this.#complain(`${id} has a message twice: ${text}`)
    for (const message of messages)
      if (this.#messages.get(message)?.id !== id) this.#complain(`${message} was never said to ${id}`)
    this.#expectNoneForgotten(id, messages, `a write of ${writer.name}`)
  }

  erased(writer: Writer, id: string): void {
    this.#effects.push({ id, writer, at: this.#next() })
  }

  /** Checks what is left at the end. */
  expectStored(id: string, found: readonly string[]): void {
    this.#expectAll(id, found, notYet, 'the store at the end')
    this.#expectNoneForgotten(id, found, 'the store at the end')
  }

  /** Checks that what was acknowledged before a moment was found, unless it may have been erased. */
  #expectAll(id: string, found: readonly string[], before: number, by: string): void {
    const present = new Set(found)
    for (const message of this.#messages.values()) {
      if (message.id !== id || message.acknowledgedAt >= before || present.has(message.text)) continue
      if (!this.#mayBeErased(message))
        this.#complain(`${by} finds [${found}] in ${id}, without ${message.text} of ${message.writer.name}`)
    }
  }

  #mayBeErased({ id, text, writer, calledAt }: Message): boolean {
    if (this.#reported.has(text)) return true
    const isLater = (erasure: Erasure) => erasure.id === id && erasure.at > calledAt
    return (
      this.#calls.some(isLater) ||
      // Another process may have been asked before, and its store may have taken its time.
      this.#effects.some((effect) => isLater(effect) && effect.writer !== writer)
    )
  }

  #expectNoneForgotten(id: string, messages: readonly string[], where: string): void {
    const back = messages.filter((message) => this.#forgotten.get(id)?.has(message))
    if (back.length > 0) this.#complain(`[${back}] of ${id} came back: ${where}`)
  }

  #complain(problem: string): void {
    this.problems.push(problem)
  }

  #next(): number {
    this.#steps += 1
    return this.#steps
  }
}

function read(text: string): string[] {
  return JSON.parse(text) as string[]
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.stack} ${String(error.cause)}` : String(error)
}
