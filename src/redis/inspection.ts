import { realClock } from '../core/time/clock.ts'
import {
  type InspectedParts,
  type InspectedSession,
  inspectedSession,
  inspectedTurn,
} from '../core/watching/inspected-session.ts'
import type { Job } from './archiving/archive-job.ts'
import type { PendingOpen } from './loading/pending-open.ts'
import type { RedisTurnRun } from './turns/turn-run.ts'
import type { RedisComponents } from './wiring.ts'

/**
 * Returns what this process does with sessions now: turns and holds, loads and creations, archives. No round
 * trip.
 */
export function inspect<T>(components: RedisComponents<T>): InspectedSession[] {
  return new Inspection(components).all()
}

/** An id that is used here. */
interface Use<T> {
  running: RedisTurnRun<T> | undefined
  waiting: number
  /** The number of turns that wait for the open of the id. */
  openingTurns: number
  readonly holds: { readonly sinceMs: number }[]
  /** Whether the session is known to be held, here or elsewhere. */
  isHeld: boolean
  /** Milliseconds since the creation, as far as it is known here. */
  ageMs: number | undefined
  /** Monotonic time from which it is waited for. */
  begunAt: number
  owner: string | undefined
}

/** One look at a registry. */
class Inspection<T> {
  readonly #components: RedisComponents<T>
  readonly #now = realClock.now()
  readonly #uses = new Map<string, Use<T>>()

  constructor(components: RedisComponents<T>) {
    this.#components = components
  }

  all(): InspectedSession[] {
    const { turns, holds, loader, archiver } = this.#components
    for (const { id, running, runs, attempt } of turns.queues) {
      const use = this.#use(id)
      if (running !== undefined) this.#onRunning(use, running)
      use.waiting += runs.size
      if (attempt === undefined) continue
      use.openingTurns += 1
      use.begunAt = attempt.begunAt
      use.isHeld ||= attempt.isQueued
    }
    for (const run of turns.unqueued) this.#onUnqueued(run)
    for (const { session, begunAt } of holds.taken) {
      const use = this.#use(session.id)
      const sinceMs = this.#now - begunAt
      use.holds.push({ sinceMs })
      use.isHeld = true
      use.ageMs ??= session.ageMs + sinceMs
      use.owner ??= session.owner
    }
    const opens = new Map(loader.pendingOpens)
    const found: InspectedParts[] = []
    for (const [id, use] of this.#uses) {
      found.push(this.#ofUse(id, use, opens.get(id)))
      opens.delete(id)
    }
    for (const [id, pendingOpen] of opens)
      found.push(this.#ofOpen(id, pendingOpen, pendingOpen.requests.size))
    const shared = new Set([...loader.pendingOpens.values()].map(({ making }) => making?.call))
    for (const call of loader.makings) {
      const { id, begunAt, isAborted } = call
      if (!shared.has(call))
        found.push({ id, state: 'creating', ...this.#since(begunAt), waiting: isAborted ? 0 : 1 })
    }
    for (const job of archiver.jobs) if (job.loaded?.isDeletion !== true) found.push(this.#ofJob(job))
    return found.map((parts) => inspectedSession(parts))
  }

  #use(id: string): Use<T> {
    let use = this.#uses.get(id)
    if (use === undefined) {
      const unknown = { running: undefined, ageMs: undefined, owner: undefined }
      use = { ...unknown, waiting: 0, openingTurns: 0, holds: [], isHeld: false, begunAt: this.#now }
      this.#uses.set(id, use)
    }
    return use
  }

  #onRunning(use: Use<T>, run: RedisTurnRun<T>): void {
    use.isHeld = true
    use.running ??= run
    use.ageMs ??= run.session?.ageMs
    use.owner ??= run.session?.owner
  }

  #onUnqueued(run: RedisTurnRun<T>): void {
    const use = this.#use(run.id)
    if (run.phase !== 'waiting') {
      this.#onRunning(use, run)
      return
    }
    use.waiting += 1
    if (run.isJoining) use.openingTurns += 1
  }

  #ofUse(id: string, use: Use<T>, pendingOpen: PendingOpen<T> | undefined): InspectedParts {
    const { running, holds, begunAt, owner, isHeld } = use
    // Of the callers that wait for the open, those that are turns are counted already.
    const others = pendingOpen === undefined ? 0 : Math.max(pendingOpen.requests.size - use.openingTurns, 0)
    const waiting = use.waiting + others
    if (pendingOpen !== undefined && !isHeld) return this.#ofOpen(id, pendingOpen, waiting)
    const { ageMs, idleMs } = this.#since(begunAt)
    return {
      id,
      state: isHeld ? 'held' : 'active',
      ageMs: use.ageMs ?? ageMs,
      idleMs: isHeld ? 0 : idleMs,
      owner,
      running: running && inspectedTurn(running, this.#now),
      waiting,
      holds,
    }
  }

  #ofOpen(id: string, { making, begunAt, speaker }: PendingOpen<T>, waiting: number): InspectedParts {
    const state = making === undefined && this.#components.options.canLoad ? 'loading' : 'creating'
    return { id, state, ...this.#since(begunAt), owner: speaker?.owner, waiting }
  }

  #ofJob({ claim, loaded }: Job): InspectedParts {
    const { id, claimedAt } = claim
    const state = this.#components.archiver.isArchiving ? 'archiving' : 'expired'
    const attempts = state === 'archiving' ? (loaded?.attempt ?? 0) : undefined
    if (loaded === undefined) return { id, state, ...this.#since(claimedAt), attempts }
    const { createdAt, lastActiveAt, seenAt, owner } = loaded.snapshot
    const sinceMs = this.#now - loaded.at
    const ageMs = seenAt - createdAt + sinceMs
    return { id, state, ageMs, idleMs: seenAt - lastActiveAt + sinceMs, owner, attempts }
  }

  #since(begunAt: number): Pick<InspectedParts, 'ageMs' | 'idleMs'> {
    const sinceMs = this.#now - begunAt
    return { ageMs: sinceMs, idleMs: sinceMs }
  }
}
