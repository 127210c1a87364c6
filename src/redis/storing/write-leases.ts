import { ReplyReader } from '../client/reply-reader.ts'
import type { CallScript } from '../client/shard-guard.ts'
import type { ResolvedRedisOptions } from '../options.ts'
import { beginSave, endWrite } from '../scripts/save.lua.ts'
import type { IncarnationRef, Keys } from '../storage/keys.ts'
import { readState, type SessionSnapshot } from '../storage/session-snapshot.ts'
import { readStoredState, type StoredState, storedStateText } from './stored-state.ts'

/**
 * The outcome of the attempt to begin a write. `busy`: a turn is running, an older incarnation waits, or
 * another write is under way.
 */
export type BeginWriteResult =
  | { readonly state: 'absent' | 'busy' }
  | { readonly state: 'begun'; readonly snapshot: SessionSnapshot; readonly storedState: StoredState }

/** The leases of writes to the store: no archive and no deletion of an id begins meanwhile. */
export class WriteLeases<T> {
  readonly #call: CallScript
  readonly #keys: Keys
  readonly #lease: string
  readonly #retention: string
  /** Called with a shard in which something has waited for a write. */
  onReleased: ((shard: number) => void) | undefined = undefined

  constructor(call: CallScript, keys: Keys, { leaseMs, retentionMs }: ResolvedRedisOptions<T>) {
    this.#call = call
    this.#keys = keys
    this.#lease = String(leaseMs)
    this.#retention = String(retentionMs)
  }

  /** Begins a write of the live session; with an incarnation, inside of its turn. */
  async begin(id: string, token: string, incarnation = ''): Promise<BeginWriteResult> {
    const args = [id, this.#retention, token, this.#lease, incarnation]
    const onLate = (late: ReplyReader) => {
      if (late.readNumber() === 1) void this.end({ id, incarnation: '' }, token, undefined)
    }
    const reply = new ReplyReader(await this.#call(beginSave, this.#keys.session(id), args, { onLate }))
    const state = reply.readNumber()
    if (state !== 1) return { state: state === 0 ? 'absent' : 'busy' }
    const seenAt = reply.readNumber()
    const name = reply.readText()
    const sessionState = readState(reply)
    const held = reply.readNumber() === 1
    const storedState = readStoredState(reply.readText())
    const snapshot = { id, incarnation: name, ...sessionState, seenAt, held, text: reply.readText() }
    return { state: 'begun', snapshot, storedState }
  }

  /**
   * Ends the write under this token: that of a save, or of a claim that was lost. `written`: what the store
   * has now. Returns whether the incarnation is live. Never rejects: if Redis does not reply, the lease
   * lapses.
   */
  async end(
    { id, incarnation }: IncarnationRef,
    token: string,
    written: StoredState | undefined,
  ): Promise<boolean> {
    const text = written === undefined ? '' : storedStateText(written)
    const args = [id, this.#retention, token, incarnation, text]
    try {
      const reply = new ReplyReader(await this.#call(endWrite, this.#keys.ofId(id), args))
      const isLive = reply.readNumber() === 1
      if (reply.readNumber() === 1) this.onReleased?.(this.#keys.shardOf(id))
      return isLive
    } catch {
      return false
    }
  }
}
