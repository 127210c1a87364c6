import { setTimeout as wait } from 'node:timers/promises'
import type { DeleteContext, PutContext, StoreContext, StoredSession } from 'session-registry'
import { MemoryStore } from '../support/memory-store.ts'

import type { BrokenStore } from './broken-reads.ts'
import { comparing, slowly } from './changed-stores.ts'

type Delete = [id: string, context: DeleteContext]

/** The same for deleting, comparing, pruning, aborting and closing. */
export const brokenWrites: BrokenStore[] = [
  [
    'never deletes',
    /^delete: the session is gone/,
    () =>
      new (class extends MemoryStore {
        override async delete() {
          this.check()
        }
      })(),
  ],
  [
    'rejects a deletion of what is not there',
    /^delete: fulfils where there is no session/,
    () =>
      new (class extends MemoryStore {
        override async delete(...args: Delete) {
          if (!this.kept.has(args[0])) throw new Error('Error: there is no such session')
          return super.delete(...args)
        }
      })(),
  ],
  [
    'deletes whatever revision is there',
    /^delete with a revision: leaves any other one/,
    () =>
      new (class extends MemoryStore {
        override delete(id: string, { signal }: DeleteContext) {
          return super.delete(id, { signal })
        }
      })(),
  ],
  [
    'never compares',
    /over any other one/,
    () => comparing((_, context) => ({ ...context, replaces: undefined })),
  ],
  [
    'takes null for undefined',
    /`replaces: null`: false where another/,
    () => comparing((_, context) => ({ ...context, replaces: context.replaces ?? undefined })),
  ],
  [
    'takes undefined for null',
    /`replaces: undefined`: overwrites/,
    () => comparing((_, context) => ({ ...context, replaces: context.replaces ?? null })),
  ],
  [
    'refuses a repeat',
    /succeeds again/,
    () =>
      new (class extends MemoryStore {
        override async put(session: StoredSession, context: PutContext) {
          const found = this.kept.get(session.id)?.revision
          if (context.replaces !== undefined && found === session.revision) return false
          return super.put(session, context)
        }
      })(),
  ],
  [
    'writes over a deletion',
    /false over a deletion/,
    () =>
      new (class extends MemoryStore {
        override put(session: StoredSession, context: PutContext) {
          return super.put(session, this.kept.has(session.id) ? context : { ...context, replaces: undefined })
        }
      })(),
  ],
  ['compares before it writes, and not in one step', /at once .* exactly one/, () => slowly()],
  [
    'prunes what was active at the very moment',
    /^prune, if there is one: deletes what was last active before/,
    () =>
      new (class extends MemoryStore {
        override prune(before: number, limit: number) {
          return super.prune(before + 0.25, limit)
        }
      })(),
  ],
  [
    'prunes without a limit',
    /as many as the limit/,
    () =>
      new (class extends MemoryStore {
        override prune(before: number) {
          return super.prune(before, Number.POSITIVE_INFINITY)
        }
      })(),
  ],
  [
    'lists first and prunes then',
    /^prune beside writes/,
    () =>
      new (class extends MemoryStore {
        override async prune(before: number, limit: number) {
          const old = [...this.kept.values()]
            .filter(({ lastActiveAt }) => lastActiveAt < before)
            .slice(0, limit)
          await wait(2)
          for (const { id } of old) this.kept.delete(id)
          return old.map(({ id }) => id)
        }
      })(),
  ],
  [
    'returns ids that another call has pruned',
    /^prune at once/,
    () =>
      new (class extends MemoryStore {
        override async prune(before: number, limit: number) {
          const old = [...this.kept.values()]
            .filter(({ lastActiveAt }) => lastActiveAt < before)
            .slice(0, limit)
          await wait(2)
          for (const { id, revision } of old)
            if (this.kept.get(id)?.revision === revision) this.kept.delete(id)
          return old.map(({ id }) => id)
        }
      })(),
  ],
  [
    'knows owners by their case-folded name',
    /^owned, if there is one: the ids of the owner/,
    () =>
      new (class extends MemoryStore {
        override async owned(owner: string) {
          const fold = (text: string | undefined) => text?.toLowerCase()
          return [...this.kept.values()].filter((one) => fold(one.owner) === fold(owner)).map(({ id }) => id)
        }
      })(),
  ],
  [
    'does not settle after an abort',
    /^put, aborted/,
    () =>
      new (class extends MemoryStore {
        override async put(session: StoredSession, context: PutContext) {
          const isWritten = await super.put(session, { ...context, signal: new AbortController().signal })
          await wait(10)
          if (context.signal.aborted) await wait(6_000)
          return isWritten
        }
      })(),
  ],
  [
    'writes after it has settled',
    /^put, aborted/,
    () =>
      new (class extends MemoryStore {
        override async put(session: StoredSession, { signal, replaces }: PutContext) {
          const write = wait(30).then(() =>
            super.put(session, { signal: new AbortController().signal, replaces }),
          )
          const aborted = new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
          })
          return Promise.race([write, aborted])
        }
      })(),
  ],
  [
    'takes an abort for a miss',
    /^get, aborted/,
    () =>
      new (class extends MemoryStore {
        override async get(id: string, context: StoreContext) {
          return context.signal.aborted ? undefined : super.get(id, context)
        }
      })(),
  ],
  [
    'is over once it is closed',
    /^close/,
    () =>
      new (class extends MemoryStore {
        override async close() {
          this.isBroken = true
        }
      })(),
  ],
]
