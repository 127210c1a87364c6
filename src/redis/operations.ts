import { isSessionRegistryError } from '../core/errors/session-registry-error.ts'
import { noStoreError } from '../core/errors/store-errors.ts'
import type { RegistryStats } from '../core/stats.ts'
import { type DeadSession, toDeadSession } from './archiving/dead-letter-store.ts'
import type { CallGate } from './call-gate.ts'
import type { AccessOptions } from './storage/access-options.ts'
import type { IncarnationRef } from './storage/keys.ts'
import type { NewSessionOptions } from './storage/session-draft.ts'
import type { PendingDeletion, RemovedSession } from './storage/session-removals.ts'
import { expiryReasonOf, type SessionSnapshot } from './storage/session-snapshot.ts'
import type { RedisComponents } from './wiring.ts'

/** Ids that are handled at a time by what acts on many. */
const batchSize = 32

/** Reads and writes outside of turns: each call of the store with its effects, in order. */
export class Operations<T> {
  readonly #components: RedisComponents<T>

  constructor(components: RedisComponents<T>) {
    this.#components = components
  }

  /** Returns the live session, if there is one. An expired one is left to the poller. */
  async access(id: string, options: AccessOptions): Promise<SessionSnapshot | undefined> {
    const { store, poller, keys } = this.#components
    const accessed = await store.access(id, options)
    if (accessed.state === 'live') return accessed.snapshot
    if (accessed.awaitsArchive) poller.onDeadline(keys.shardOf(id), 0)
    return undefined
  }

  /** Creates a session; a live one ends. */
  async replace(id: string, value: T, options: NewSessionOptions): Promise<void> {
    const { store, log, turns, pending } = this.#components
    const text = this.#components.options.codec.encode(value)
    const { snapshot, replaced } = await pending.track(store.replace(id, { text, ...options }))
    if (replaced !== undefined) {
      turns.onSessionEnded(id, new Set([replaced.incarnation]))
      log.ended(replaced, 'replaced')
    }
    log.created(snapshot)
  }

  /**
   * Ends every incarnation of an id except dead letters. Returns whether one was live or still to be
   * archived.
   *
   * An expired one ends with its expiry reason where nothing is archived. Otherwise it is deleted like a live
   * one, since it is not archived any more. The deletion from the store begins, and until it is done no
   * process loads the id.
   */
  async delete(id: string): Promise<boolean> {
    return (await this.remove(id)).wasHere
  }

  /** {@link delete}, with the deletion from the store that it began. */
  async remove(
    id: string,
  ): Promise<{ readonly wasHere: boolean; readonly deletion: PendingDeletion | undefined }> {
    const { removals, log, turns, archiver, loader, olderIncarnations } = this.#components
    const hasExpired = ({ state }: RemovedSession) => state === 'expired' && !archiver.isArchiving
    const wasLoading = loader.drop(id)
    const start = (one: PendingDeletion) => this.#startDeletion(id, one)
    const { removed, deletion } = await removals.remove(id, archiver.canClaimForCaller, start)
    const incarnations = new Set(removed.map(({ snapshot }) => snapshot.incarnation))
    turns.onSessionEnded(id, incarnations)
    archiver.abandon(id, incarnations)
    if (deletion !== undefined) start(deletion)
    for (const session of removed)
      log.ended(session.snapshot, hasExpired(session) ? expiryReasonOf(session.snapshot) : 'deleted')
    olderIncarnations.wake(id)
    return { wasHere: wasLoading || !removed.every(hasExpired), deletion }
  }

  /** Writes a live session to the store; in a turn of the id, as the turn has it. */
  async save(id: string, gate: CallGate<T>): Promise<boolean> {
    const { saves, turns, pending } = this.#components
    if (saves === undefined) throw noStoreError()
    const outer = turns.outerTurn(id)
    if (outer === undefined) gate.admitNew()
    return pending.track(saves.save(id, outer?.session))
  }

  /** Ends every incarnation of an id, dead letters included. Resolves when the store has deleted it too. */
  async forget(id: string): Promise<boolean> {
    const { wasHere, deletion } = await this.remove(id)
    const dropped = await this.#dropDead(id)
    if (deletion !== undefined)
      await this.#components.deletions.whenDone({ id, incarnation: deletion.incarnation })
    return wasHere || dropped > 0
  }

  #startDeletion(id: string, { incarnation, claim }: PendingDeletion): void {
    const { archiver, poller, keys } = this.#components
    const shard = keys.shardOf(id)
    if (claim === undefined) poller.onDeadline(shard, 0)
    else archiver.addFirst({ id, incarnation, shard, isNew: false, ...claim })
  }

  async clear(): Promise<number> {
    const { scan, loader } = this.#components
    // A session that is being loaded is in no set yet.
    const loading = await Promise.all(loader.ids().map((id) => this.delete(id)))
    let count = loading.filter(Boolean).length
    for await (const refs of scan.all()) {
      for (let from = 0; from < refs.length; from += batchSize) {
        const ids = new Set(refs.slice(from, from + batchSize).map(({ id }) => id))
        const deleted = await Promise.all([...ids].map((id) => this.delete(id)))
        count += deleted.filter(Boolean).length
      }
    }
    return count
  }

  /** Yields the incarnations of live sessions, without those that have ended here meanwhile. */
  async *liveRefs(): AsyncGenerator<IncarnationRef, void, undefined> {
    const { scan, log } = this.#components
    const ended = new Set<string>()
    log.activeScans.add(ended)
    try {
      for await (const refs of scan.live()) {
        for (const ref of refs) if (!ended.has(ref.incarnation)) yield ref
      }
    } finally {
      log.activeScans.delete(ended)
    }
  }

  /**
   * Yields the live sessions with their values, in small batches. One that cannot be read is reported as
   * `error` and skipped.
   */
  async *liveSessions(): AsyncGenerator<SessionSnapshot, void, undefined> {
    const { scan, log } = this.#components
    const ended = new Set<string>()
    log.activeScans.add(ended)
    try {
      for await (const refs of scan.live()) {
        const snapshots = await Promise.all(refs.map((ref) => this.#readIncarnation(ref)))
        for (const snapshot of snapshots)
          if (snapshot !== undefined && !ended.has(snapshot.incarnation)) yield snapshot
      }
    } finally {
      log.activeScans.delete(ended)
    }
  }

  /**
   * Yields ids and values of live sessions. A value that cannot be decoded is reported as `error` and
   * skipped.
   */
  async *entries(): AsyncGenerator<[id: string, value: T], void, undefined> {
    const { log, options } = this.#components
    for await (const { id, text } of this.liveSessions()) {
      let value: T
      try {
        value = options.codec.decode(text)
      } catch (error) {
        log.failed(error, 'a session could not be read', id)
        continue
      }
      yield [id, value]
    }
  }

  /** Returns the incarnation of this name, if it is live. */
  async #readIncarnation({ id, incarnation }: IncarnationRef): Promise<SessionSnapshot | undefined> {
    const { store, log } = this.#components
    try {
      const accessed = await store.access(id, { reads: true })
      return accessed.state === 'live' && accessed.snapshot.incarnation === incarnation
        ? accessed.snapshot
        : undefined
    } catch (error) {
      // The server replies, so the error comes from what is under this key.
      if (!isSessionRegistryError(error, 'ERR_SESSION_BACKEND_FAILED')) throw error
      log.failed(error, 'a session could not be read', id)
      return undefined
    }
  }

  /** Yields the dead letters. */
  async *deadSessions(): AsyncGenerator<DeadSession<T>, void, undefined> {
    const { scan, deadLetters, options } = this.#components
    for await (const { id, incarnations } of scan.dead(options.retentionMs)) {
      for await (const snapshot of deadLetters.read(id, incarnations))
        yield toDeadSession(snapshot, options.codec)
    }
  }

  async retryDead(id?: string): Promise<number> {
    return id === undefined ? this.#forEachDead((one) => this.#retryDead(one)) : this.#retryDead(id)
  }

  async dropDead(id?: string): Promise<number> {
    return id === undefined ? this.#forEachDead((one) => this.#dropDead(one)) : this.#dropDead(id)
  }

  /** Returns the figures of this process, with the number of sessions of all. */
  stats(size: number): RegistryStats {
    const { turns, holds, archiver, log } = this.#components
    const { listenerErrors } = log.events
    const { running, waiting } = turns.counts
    const held = new Set([...turns.heldIds, ...holds.ids]).size
    const archiving = archiver.count
    return log.counters.snapshot({ size, held, running, waiting, archiving, disposing: 0, listenerErrors })
  }

  deadCount(): Promise<number> {
    return this.#components.scan.deadCount(this.#components.options.retentionMs)
  }

  async #retryDead(id: string): Promise<number> {
    const { deadLetters, poller, keys } = this.#components
    const count = await deadLetters.retry(id)
    poller.onDeadline(keys.shardOf(id), 0)
    return count
  }

  async #dropDead(id: string): Promise<number> {
    const { deadLetters, log } = this.#components
    let count = 0
    for await (const snapshot of deadLetters.drop(id)) {
      log.ended(snapshot, 'deleted')
      count += 1
    }
    return count
  }

  async #forEachDead(act: (id: string) => Promise<number>): Promise<number> {
    const { scan, options } = this.#components
    let count = 0
    let batch: string[] = []
    const finish = async () => {
      for (const one of await Promise.all(batch.map(act))) count += one
      batch = []
    }
    for await (const { id } of scan.dead(options.retentionMs)) {
      batch.push(id)
      if (batch.length >= batchSize) await finish()
    }
    await finish()
    return count
  }
}
