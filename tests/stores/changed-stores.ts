import { setTimeout as wait } from 'node:timers/promises'
import type { DeleteContext, PutContext, StoreContext, StoredSession } from 'session-registry'
import { MemoryStore } from '../support/memory-store.ts'

/** A store that keeps something else than what it was given. */
export function putting(change: (session: StoredSession) => StoredSession): MemoryStore {
  return new (class extends MemoryStore {
    override put(session: StoredSession, context: PutContext) {
      return super.put(change(session), context)
    }
  })()
}

/** A store that keeps of an older session what the newer one does not have. */
export function merging(): MemoryStore {
  return new (class extends MemoryStore {
    override put(session: StoredSession, context: PutContext) {
      return super.put({ ...this.kept.get(session.id), ...session }, context)
    }
  })()
}

/** A store that compares with another revision than `replaces`. */
export function comparing(change: (session: StoredSession, context: PutContext) => PutContext): MemoryStore {
  return new (class extends MemoryStore {
    override put(session: StoredSession, context: PutContext) {
      return super.put(session, change(session, context))
    }
  })()
}

/** A store that compares first and writes later. */
export function slowly(): MemoryStore {
  return new (class extends MemoryStore {
    override async put(session: StoredSession, context: PutContext) {
      this.check(context.signal)
      const found = this.kept.get(session.id)?.revision ?? null
      if (context.replaces !== undefined && found !== context.replaces && found !== session.revision)
        return false
      await wait(1)
      return super.put(session, { ...context, replaces: undefined })
    }
  })()
}

/** A store whose keys are something else than the ids. */
export function keyed(keyOf: (id: string) => string): MemoryStore {
  return new (class extends MemoryStore {
    readonly #ids = new Map<string, string>()

    override async get(id: string, context: StoreContext) {
      const found = await super.get(this.#known(id), context)
      return found && { ...found, id }
    }

    override put(session: StoredSession, context: PutContext) {
      return super.put({ ...session, id: this.#known(session.id) }, context)
    }

    override delete(id: string, context: DeleteContext) {
      return super.delete(this.#known(id), context)
    }

    /** The first id of this key stands for all of them. */
    #known(id: string): string {
      const key = keyOf(id)
      if (!this.#ids.has(key)) this.#ids.set(key, id)
      return this.#ids.get(key) ?? id
    }
  })()
}
