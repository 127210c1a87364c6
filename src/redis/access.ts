import { isSessionRegistryError } from '../core/errors/session-registry-error.ts'
import { type DeadSession, deadSession } from './dead-sessions.ts'
import type { EnterOptions } from './enter-options.ts'
import type { LifeName } from './keys.ts'
import { expiryReason, type Life } from './life.ts'
import type { RedisParts } from './parts.ts'
import type { RemovedLife } from './session-store.ts'

/** Ids that are asked for at once by what acts on many. */
const batchSize = 32

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

  /** Begins a new life; a live one ends. */
  async replace(id: string, value: T, timeoutMs: number): Promise<void> {
    const { store, teller, options, turns, pending } = this.#parts
    const text = options.codec.encode(value)
    const { life, replaced } = await pending.track(store.replace(id, text, timeoutMs))
    if (replaced !== undefined) {
      turns.cutOff(id, new Set([replaced.incarnation]))
      teller.ended(replaced, 'replaced')
    }
    teller.created(life)
  }

  /**
   * Ends every life of an id but those that are given up, and says whether one lived or was still to be archived. One that is
   * over has expired where nothing is archived; else it is deleted like a live one, for no archive of it follows.
   */
  async delete(id: string): Promise<boolean> {
    const { store, teller, turns, archiver, opener, older } = this.#parts
    const hasExpired = ({ state }: RemovedLife) => state === 'over' && !archiver.archives
    const wasLoading = opener.drop(id)
    const removed = await store.remove(id)
    if (removed.length === 0) return wasLoading
    const names = new Set(removed.map(({ life }) => life.incarnation))
    turns.cutOff(id, names)
    archiver.abandon(id, names)
    for (const one of removed) teller.ended(one.life, hasExpired(one) ? expiryReason(one.life) : 'deleted')
    older.wake(id)
    return wasLoading || !removed.every(hasExpired)
  }

  async clear(): Promise<number> {
    const { walks, opener } = this.#parts
    // What is being loaded stands in no set yet.
    const loading = await Promise.all(opener.ids().map((id) => this.delete(id)))
    let count = loading.filter(Boolean).length
    for await (const names of walks.all()) {
      for (let from = 0; from < names.length; from += batchSize) {
        const ids = new Set(names.slice(from, from + batchSize).map(({ id }) => id))
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

  /** The live sessions with their values, a few of them read ahead. One that cannot be read is told and passed over. */
  async *lives(): AsyncGenerator<Life, void, undefined> {
    const { walks, teller } = this.#parts
    const ended = new Set<string>()
    teller.walks.add(ended)
    try {
      for await (const names of walks.live()) {
        const lives = await Promise.all(names.map((name) => this.#read(name)))
        for (const life of lives) if (life !== undefined && !ended.has(life.incarnation)) yield life
      }
    } finally {
      teller.walks.delete(ended)
    }
  }

  /** Ids and values of live sessions. A value that cannot be decoded is told and passed over. */
  async *entries(): AsyncGenerator<[id: string, value: T], void, undefined> {
    const { teller, options } = this.#parts
    for await (const { id, text } of this.lives()) {
      let value: T
      try {
        value = options.codec.decode(text)
      } catch (error) {
        teller.failed(error, 'a session could not be read', id)
        continue
      }
      yield [id, value]
    }
  }

  /** The life of this name, if it still lives. */
  async #read({ id, incarnation }: LifeName): Promise<Life | undefined> {
    const { store, teller } = this.#parts
    try {
      const entered = await store.enter(id, { reads: true })
      return entered.state === 'live' && entered.life.incarnation === incarnation ? entered.life : undefined
    } catch (error) {
      // The server answers, so the fault is in what stands under this key.
      if (!isSessionRegistryError(error, 'ERR_SESSION_BACKEND_FAILED')) throw error
      teller.failed(error, 'a session could not be read', id)
      return undefined
    }
  }

  /** The lives that could not be archived. */
  async *dead(): AsyncGenerator<DeadSession<T>, void, undefined> {
    const { walks, dead, options } = this.#parts
    for await (const { id, incarnations } of walks.dead(options.retentionMs)) {
      for await (const life of dead.read(id, incarnations)) yield deadSession(life, options.codec)
    }
  }

  async retryDead(id?: string): Promise<number> {
    return id === undefined ? this.#forAllDead((one) => this.#retry(one)) : this.#retry(id)
  }

  async dropDead(id?: string): Promise<number> {
    return id === undefined ? this.#forAllDead((one) => this.#drop(one)) : this.#drop(id)
  }

  deadCount(): Promise<number> {
    return this.#parts.walks.deadCount(this.#parts.options.retentionMs)
  }

  async #retry(id: string): Promise<number> {
    const { dead, poller, keys } = this.#parts
    const count = await dead.retry(id)
    poller.expect(keys.shardOf(id), 0)
    return count
  }

  async #drop(id: string): Promise<number> {
    const { dead, teller } = this.#parts
    let count = 0
    for await (const life of dead.drop(id)) {
      teller.ended(life, 'deleted')
      count += 1
    }
    return count
  }

  async #forAllDead(act: (id: string) => Promise<number>): Promise<number> {
    const { walks, options } = this.#parts
    let count = 0
    let batch: string[] = []
    const finish = async () => {
      for (const one of await Promise.all(batch.map(act))) count += one
      batch = []
    }
    for await (const { id } of walks.dead(options.retentionMs)) {
      batch.push(id)
      if (batch.length >= batchSize) await finish()
    }
    await finish()
    return count
  }
}
