import type { CreateSession } from '../core/hooks.ts'
import { closed, needsOpen, noFactory } from '../core/refusals.ts'
import { type DeadSession, deadSession } from './dead-sessions.ts'
import type { LifeName } from './keys.ts'
import { expiryReason, type Life } from './life.ts'
import type { RedisParts } from './parts.ts'
import type { EnterOptions, RemovedLife } from './session-store.ts'

/** How many ids are deleted at once by `clear`. */
const clearBatch = 32

/** Reading and writing without a turn: which effect comes after which. */
export class Access<T> {
  readonly #parts: RedisParts<T>

  constructor(parts: RedisParts<T>) {
    this.#parts = parts
  }

  /** The live session, if there is one. One that is over is left to the poller, which is told. */
  async live(id: string, options: EnterOptions): Promise<Life | undefined> {
    const { store, poller, keys } = this.#parts
    const entered = await store.enter(id, options)
    if (entered.state === 'live') return entered.life
    if (entered.waits) poller.expect(keys.shardOf(id), 0)
    return undefined
  }

  /** Makes a session where there is none; `undefined` if there was one after all. */
  async make(
    id: string,
    create: CreateSession<T> | undefined,
    timeoutMs: number,
    isClosing: boolean,
  ): Promise<Life | undefined> {
    const { store, teller, options } = this.#parts
    if (isClosing) throw closed()
    if (options.load !== undefined) throw needsOpen('may have to be loaded')
    if (create === undefined) throw noFactory()
    const text = options.codec.encode(create(id))
    const created = await store.create(id, text, timeoutMs)
    if (created.state === 'exists') return undefined
    teller.created(created.life)
    return created.life
  }

  async set(id: string, value: T, timeoutMs: number): Promise<void> {
    const { store, teller, options, turns } = this.#parts
    const { life, replaced } = await store.replace(id, options.codec.encode(value), timeoutMs)
    if (replaced !== undefined) {
      turns.cutOff(id, new Set([replaced.incarnation]))
      teller.ended(replaced, 'replaced')
    }
    teller.created(life)
  }

  /** Ends every life of an id but those that are given up, and says whether one lived or was being archived. */
  async delete(id: string): Promise<boolean> {
    const { store, teller, turns, archiver, opener } = this.#parts
    const wasLoading = opener.drop(id)
    const removed = await store.remove(id)
    if (removed.length === 0) return wasLoading
    const names = new Set(removed.map(({ life }) => life.incarnation))
    turns.cutOff(id, names)
    archiver.abandon(id, names)
    for (const { life, state } of removed) {
      teller.ended(life, state === 'over' ? expiryReason(life) : 'deleted')
    }
    opener.settled(id)
    return wasLoading || removed.some(wasThere)
  }

  async clear(): Promise<number> {
    const { walks, opener } = this.#parts
    // What is being loaded stands in no set yet.
    const loading = await Promise.all(opener.ids().map((id) => this.delete(id)))
    let count = loading.filter(Boolean).length
    for await (const names of walks.all()) {
      for (let from = 0; from < names.length; from += clearBatch) {
        const ids = new Set(names.slice(from, from + clearBatch).map(({ id }) => id))
        const deleted = await Promise.all([...ids].map((id) => this.delete(id)))
        count += deleted.filter(Boolean).length
      }
    }
    return count
  }

  /** The names of live sessions; one that has ended here meanwhile is passed over. */
  async *names(): AsyncGenerator<LifeName, void, undefined> {
    const { walks, teller } = this.#parts
    const ended = new Set<string>()
    teller.walks.add(ended)
    try {
      for await (const names of walks.live()) {
        for (const name of names) if (!ended.has(name.incarnation)) yield name
      }
    } finally {
      teller.walks.delete(ended)
    }
  }

  /** The live sessions with their values, a few of them read ahead. */
  async *lives(): AsyncGenerator<Life, void, undefined> {
    const { walks, store, teller } = this.#parts
    const ended = new Set<string>()
    teller.walks.add(ended)
    try {
      for await (const names of walks.live()) {
        const entered = await Promise.all(names.map(({ id }) => store.enter(id, { reads: true })))
        for (const [index, one] of entered.entries()) {
          if (one.state !== 'live' || one.life.incarnation !== names[index]?.incarnation) continue
          if (!ended.has(one.life.incarnation)) yield one.life
        }
      }
    } finally {
      teller.walks.delete(ended)
    }
  }

  /** The lives that could not be archived. */
  async *dead(): AsyncGenerator<DeadSession<T>, void, undefined> {
    const { walks, dead, options } = this.#parts
    for await (const { id, incarnation } of walks.dead(options.retentionMs)) {
      for (const life of await dead.read(id)) {
        if (life.incarnation === incarnation) yield deadSession(life, options.codec)
      }
    }
  }

  async retryDead(id: string): Promise<number> {
    const { dead, poller, keys } = this.#parts
    const lives = await dead.retry(id)
    poller.expect(keys.shardOf(id), 0)
    return lives.length
  }

  async dropDead(id: string): Promise<number> {
    const { dead, teller } = this.#parts
    const lives = await dead.drop(id)
    for (const life of lives) teller.ended(life, 'deleted')
    return lives.length
  }
}

function wasThere({ state }: RemovedLife): boolean {
  return state !== 'over'
}
