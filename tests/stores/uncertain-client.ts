import type { SessionStore, StoredSession } from 'session-registry'
import { expect } from 'vitest'
import type { Random } from '../support/random.ts'
import { context, storedSession } from '../support/store-session.ts'

/** `null`: no session. */
type Revision = string | null

/**
 * Uses one session of a store whose calls may fail before or after their effect, and keeps account of what
 * may be stored.
 *
 * Whatever the store answers must be one of the possible states; each answer narrows them down, and each
 * failure widens them.
 */
export class UncertainClient {
  readonly #store: SessionStore
  readonly #random: Random
  readonly #compares: boolean
  readonly #written = new Map<string, StoredSession>()
  readonly #id: string
  #possible = new Set<Revision>([null])

  constructor(
    store: SessionStore,
    random: Random,
    options: { readonly id: string; readonly compares: boolean },
  ) {
    this.#store = store
    this.#random = random
    this.#id = options.id
    this.#compares = options.compares
  }

  async step(): Promise<void> {
    if (this.#random.chance(0.5)) await this.#put()
    else if (this.#random.chance(0.2)) await this.#delete()
    else await this.get()
  }

  /** Reads, and checks what was read. Returns whether the read succeeded. */
  async get(): Promise<boolean> {
    let found: StoredSession | undefined
    try {
      found = await this.#store.get(this.#id, this.#context())
    } catch {
      return false
    }
    const revision = found?.revision ?? null
    expect([...this.#possible]).toContain(revision)
    if (revision !== null) expect(found).toEqual(this.#written.get(revision))
    this.#possible = new Set([revision])
    return true
  }

  async #put(): Promise<void> {
    const known = this.#random.chance(0.8) ? this.#any() : storedSession().revision
    const replaces = this.#compares && this.#random.chance(0.9) ? known : undefined
    const session = storedSession({
      id: this.#id,
      text: JSON.stringify('x'.repeat(this.#random.below(20_000))),
    })
    this.#written.set(session.revision, session)
    const mayMatch = replaces === undefined || this.#possible.has(replaces)
    let isWritten: boolean
    try {
      isWritten = await this.#store.put(session, { ...this.#context(), replaces })
    } catch {
      if (mayMatch) this.#possible.add(session.revision)
      return
    }
    if (isWritten) {
      expect(mayMatch, 'a write over what cannot have been there').toBe(true)
      this.#possible = new Set([session.revision])
      return
    }
    expect(replaces, 'a refusal of a write over anything').not.toBeUndefined()
    this.#possible.delete(replaces as Revision)
    expect(this.#possible.size, 'a refusal though nothing else can have been there').toBeGreaterThan(0)
  }

  async #delete(): Promise<void> {
    try {
      await this.#store.delete(this.#id, this.#context())
      this.#possible = new Set([null])
    } catch {
      this.#possible.add(null)
    }
  }

  #any(): Revision {
    const all = [...this.#possible]
    return all[this.#random.below(all.length)] ?? null
  }

  /** Some of the calls are given up at once, or soon. */
  #context(): { signal: AbortSignal } {
    if (!this.#random.chance(0.1)) return context()
    return {
      signal: this.#random.chance(0.3) ? AbortSignal.abort() : AbortSignal.timeout(this.#random.below(4)),
    }
  }
}
