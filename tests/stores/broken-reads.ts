import type { DeleteContext, PutContext, StoreContext, StoredSession } from 'session-registry'
import { MemoryStore } from '../support/memory-store.ts'

import { keyed, merging, putting } from './changed-stores.ts'

type Get = [id: string, context: StoreContext]
type Put = [session: StoredSession, context: PutContext]
type Delete = [id: string, context: DeleteContext]

/** What is wrong with a store, a part of the name of a check that must notice, and the store. */
export type BrokenStore = [name: string, notices: RegExp, make: () => MemoryStore]

/** Stores that break one promise of what is kept each. */
export const brokenReads: BrokenStore[] = [
  [
    'gives null for a miss',
    /^get: undefined/,
    () =>
      new (class extends MemoryStore {
        override async get(...args: Get) {
          return (await super.get(...args)) ?? (null as unknown as undefined)
        }
      })(),
  ],
  [
    'takes a failure for a miss',
    /^get of a session that is stored, when the back end fails/,
    () =>
      new (class extends MemoryStore {
        override get(...args: Get) {
          return super.get(...args).catch(() => undefined)
        }
      })(),
  ],
  [
    'swallows the failure of a deletion',
    /^delete of a session that is stored, when the back end fails/,
    () =>
      new (class extends MemoryStore {
        override delete(...args: Delete) {
          return super.delete(...args).catch(() => {})
        }
      })(),
  ],
  [
    'says false to a write that failed',
    /^put of a session that is stored, when the back end fails/,
    () =>
      new (class extends MemoryStore {
        override put(...args: Put) {
          return super.put(...args).catch(() => false)
        }
      })(),
  ],
  [
    'says nothing of a write',
    /^put: true/,
    () =>
      new (class extends MemoryStore {
        override async put(...args: Put) {
          await super.put(...args)
          return undefined as unknown as boolean
        }
      })(),
  ],
  [
    'loses an infinite timeout',
    /infinite/,
    () =>
      new (class extends MemoryStore {
        override put(session: StoredSession, context: PutContext) {
          return super.put(JSON.parse(JSON.stringify(session)), context)
        }
      })(),
  ],
  [
    'rounds times',
    /fractional times/,
    () => putting((session) => ({ ...session, lastActiveAt: Math.round(session.lastActiveAt) })),
  ],
  [
    'forgets the owner',
    /^put: true, and get returns every field/,
    () => putting(({ owner: _, ...rest }) => rest),
  ],
  ['merges with what was there', /replaces the whole session/, () => merging()],
  [
    'cuts text off at U+0000',
    /U\+0000/,
    () => putting((session) => ({ ...session, text: session.text.replace(/\0.*/s, '') })),
  ],
  [
    'replaces lone surrogates',
    /a lone surrogate/,
    () => putting((session) => ({ ...session, text: session.text.replace(/\p{Surrogate}/gu, '\ufffd') })),
  ],
  [
    'parses what looks like a number',
    /a number/,
    () => putting((session) => ({ ...session, text: session.text.replace(/^123$/, '123.0') })),
  ],
  [
    'keeps no long text',
    /a megabyte/,
    () => putting((session) => ({ ...session, text: session.text.slice(0, 1_000_000) })),
  ],
  ['ignores the case of ids', /^ids/, () => keyed((id) => id.toLowerCase())],
  ['keys by UTF-8', /^ids/, () => keyed((id) => Buffer.from(id).toString('hex'))],
  ['normalises ids', /^ids/, () => keyed((id) => id.normalize())],
  ['trims ids', /^ids/, () => keyed((id) => id.trim())],
  ['cuts ids off', /^ids/, () => keyed((id) => id.slice(0, 1_000))],
]
