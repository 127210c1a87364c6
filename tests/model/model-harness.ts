import { type Hold, isSessionRegistryError, SessionRegistry, type SweepSummary } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { expect } from 'vitest'
import type { Command } from './commands.ts'
import { Model, type ModelOptions, type ModelSession, tickMsOf } from './model.ts'
import { compareIteration, comparePeek } from './reads.ts'

/** A registry and its model, which get the same commands and must return the same. */
export class ModelHarness {
  readonly clock = new ManualClock()
  readonly model: Model
  readonly registry: SessionRegistry<string>
  readonly #holds = new Map<string, Hold[]>()
  #lines: string[] = []
  #sweeps: (SweepSummary & { readonly at: number })[] = []
  #made = 0
  #isReassigned = false
  readonly #isCreationObserved: boolean

  /** `isCreationObserved`: whether `created` has a listener; else creations may take the fast path. */
  constructor(options: ModelOptions, { isCreationObserved }: { readonly isCreationObserved: boolean }) {
    this.#isCreationObserved = isCreationObserved
    this.model = new Model(options)
    this.registry = new SessionRegistry({
      ...options,
      clock: this.clock,
      maxHoldMs: Number.POSITIVE_INFINITY,
    })
    const emitted = (line: string) => this.#lines.push(line)
    if (isCreationObserved) this.registry.on('created', (session) => emitted(`created ${session.id}`))
    this.registry.on('expired', (session, reason) => emitted(`expired ${session.id} ${reason}`))
    this.registry.on('ended', (session, reason) => emitted(`ended ${session.id} ${reason}`))
    this.registry.on('swept', (summary) => this.#sweeps.push({ ...summary, at: this.clock.now() }))
  }

  do(command: Command): void {
    const { model, registry } = this
    switch (command.do) {
      case 'getOrCreate': {
        const live = this.#count(command.id)
        const value = this.#make(command.id, command.timeoutMs, live, (made) =>
          registry.getOrCreate(command.id, () => made, own(command.timeoutMs)),
        )
        if (live !== undefined) expect(value).toBe(live.value)
        break
      }
      case 'set': {
        const live = this.#expectLive(command.id)
        this.#make(command.id, command.timeoutMs, live, (made) => {
          registry.set(command.id, made, own(command.timeoutMs))
          if (live !== undefined) live.value = made
        })
        break
      }
      case 'replace': {
        const live = this.#expectLive(command.id)
        if (live !== undefined) model.remove(live, undefined, this.clock.now())
        this.#make(
          command.id,
          command.timeoutMs,
          undefined,
          (made) => registry.replace(command.id, made, own(command.timeoutMs)),
          live === undefined ? [] : [`ended ${command.id} replaced`],
        )
        break
      }
      case 'get': {
        const live = this.#count(command.id)
        expect(registry.get(command.id)).toBe(live?.value)
        this.#used(command.id, live)
        break
      }
      case 'touch': {
        const live = this.#expectLive(command.id)
        expect(registry.touch(command.id)).toBe(live !== undefined)
        this.#used(command.id, live)
        break
      }
      case 'peek':
        comparePeek(registry, model, this.clock, command.id)
        break
      case 'has':
        expect(registry.has(command.id)).toBe(this.#expectLive(command.id) !== undefined)
        break
      case 'delete': {
        const live = this.#expectLive(command.id)
        expect(registry.delete(command.id)).toBe(live !== undefined)
        this.#expectEvents(this.#ended(model.find(command.id)))
        break
      }
      case 'clear':
        expect(registry.clear()).toBe(model.sessions.length - model.expired(this.clock.now()).length)
        this.#expectEvents(model.sessions.flatMap((session) => this.#ended(session)))
        break
      case 'sweep': {
        const expired = model.expired(this.clock.now())
        expect(registry.sweep()).toBe(expired.length)
        this.#expectEvents(expired.flatMap((session) => this.#ended(session)))
        this.#sweptNow(expired.length)
        break
      }
      case 'iterate':
        compareIteration(registry, model, this.clock)
        break
      case 'assignTimeout': {
        const live = this.#expectLive(command.id)
        const session = registry.peek(command.id)
        this.#isReassigned = true
        if (session !== undefined) session.timeoutMs = command.timeoutMs
        if (live !== undefined) live.timeoutMs = command.timeoutMs ?? model.options.timeoutMs
        model.schedule(this.clock.now())
        break
      }
      case 'hold': {
        const live = this.#expectLive(command.id)
        const hold = registry.hold(command.id)
        expect(hold !== undefined).toBe(live !== undefined)
        this.#used(command.id, live)
        if (live !== undefined) live.holds += 1
        if (hold !== undefined) this.#holds.set(command.id, [...(this.#holds.get(command.id) ?? []), hold])
        break
      }
      case 'release':
        this.#release(command.id)
        break
      case 'advance':
        this.#advance(command.ms)
        break
    }
    this.#same()
  }

  #expectLive(id: string): ModelSession | undefined {
    return this.model.live(id, this.clock.now())
  }

  #count(id: string): ModelSession | undefined {
    const live = this.#expectLive(id)
    this.model.counts[live === undefined ? 'misses' : 'hits'] += 1
    return live
  }

  /** Applies a use of an id: activity on a live session, or the end of an expired one. */
  #used(id: string, live: ModelSession | undefined): void {
    if (live !== undefined) this.model.touch(live, this.clock.now())
    else this.#expectEvents(this.#ended(this.model.find(id)))
  }

  /** Ends a session in the model, and expects its events of the registry. */
  #ended(session: ModelSession | undefined): string[] {
    if (session === undefined) return []
    const { id } = session
    const isOver = this.model.isExpired(session, this.clock.now())
    this.model.remove(session, isOver ? 'expired' : 'deleted', this.clock.now())
    this.#holds.delete(id)
    if (!isOver) return [`ended ${id} deleted`]
    const reason = this.model.reasonOf(session)
    return [`expired ${id} ${reason}`, `ended ${id} ${reason}`]
  }

  #takeLines(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  /** Accepts any order of sessions, with `expired` directly before its `ended`. */
  #expectEvents(expected: readonly string[]): void {
    const lines = this.#takeLines()
    lines.forEach((line, index) => {
      if (line.startsWith('expired')) expect(lines[index + 1]).toBe(line.replace('expired', 'ended'))
    })
    expect(lines.toSorted()).toEqual(expected.toSorted())
  }

  #sweptNow(expired: number): void {
    const sweeps = this.#sweeps.splice(0)
    const summary = { expired, remaining: this.model.sessions.length, durationMs: 0, at: this.clock.now() }
    expect(sweeps).toEqual(expired === 0 ? [] : [summary])
  }

  /** Applies a call that may create: it may end expired sessions, and evict one. */
  #make(
    id: string,
    timeoutMs: number | undefined,
    live: ModelSession | undefined,
    call: (value: string) => unknown,
    before: readonly string[] = [],
  ): unknown {
    const { model } = this
    const now = this.clock.now()
    this.#made += 1
    const made = `${id} ${this.#made}`
    let result: unknown
    let error: unknown
    try {
      result = call(made)
    } catch (thrown) {
      error = thrown
    }
    const lines = this.#takeLines()
    if (live !== undefined) {
      expect(lines).toEqual([])
      model.touch(live, now)
      return result
    }
    if (before.length > 0) this.#holds.delete(id)
    expect(lines.splice(0, before.length)).toEqual(before)
    const expired = model.find(id)
    if (expired !== undefined) {
      const ended = this.#ended(expired)
      expect(lines.splice(0, 2)).toEqual(ended)
    }
    const replaced = before.length > 0
    const wereExpired = model.expired(now).length
    while (lines[0]?.startsWith('expired') === true) {
      const gone = model.expired(now).find((session) => lines[0]?.split(' ')[1] === session.id)
      expect(gone, lines[0]).toBeDefined()
      expect(lines.splice(0, 2)).toEqual(this.#ended(gone))
    }
    const areExpired = model.expired(now).length
    // Each creation reclaims a few expired sessions.
    if (wereExpired > 0 && !replaced) expect(areExpired).toBeLessThan(wereExpired)
    if (model.sessions.length >= model.options.maxSessions) {
      // Expired sessions are removed first.
      expect(areExpired).toBe(0)
      const victims = model.evictable()
      if (model.options.whenFull === 'reject' || victims.length === 0) {
        expect(isSessionRegistryError(error, 'ERR_SESSION_REGISTRY_FULL')).toBe(true)
        expect(lines).toEqual([])
        return undefined
      }
      this.#evicted(victims, lines.shift())
    }
    expect(error).toBeUndefined()
    expect(lines).toEqual(this.#isCreationObserved ? [`created ${id}`] : [])
    model.add(id, made, timeoutMs, now)
    return result
  }

  /** The least recently active, to within a tick of its timeout; exactly if that is infinite. */
  #evicted(victims: readonly ModelSession[], line: string | undefined): void {
    const [least] = victims.toSorted((a, b) => a.lastActive - b.lastActive)
    const victim = victims.find(({ id }) => line === `ended ${id} capacity`)
    if (victim === undefined || least === undefined) throw new Error(`evicted no victim: ${line}`)
    // Of sessions of equal activity the order of calls decides, until a timeout was assigned.
    const never = victims.every(({ timeoutMs }) => timeoutMs === Number.POSITIVE_INFINITY)
    if (never && !this.#isReassigned) expect(victim.id).toBe(victims[0]?.id)
    expect(victim.lastActive - least.lastActive).toBeLessThanOrEqual(tickMsOf(least))
    this.model.remove(victim, 'evicted', this.clock.now())
  }

  #release(id: string): void {
    const hold = this.#holds.get(id)?.shift()
    if (hold === undefined) return
    for (let calls = 0; calls < 2; calls += 1) hold.release()
    const session = this.model.find(id)
    if (session === undefined) throw new Error('a hold without a session')
    session.holds -= 1
    if (session.holds === 0) this.model.touch(session, this.clock.now())
  }

  #advance(ms: number): void {
    const { model } = this
    const until = this.clock.now() + ms
    // Sweep by sweep, to know which sessions end in each.
    while (model.nextSweepAt !== undefined && model.nextSweepAt <= until) {
      const at = model.nextSweepAt
      const expired = model.expired(at)
      if (expired.length === 0) {
        // The sweeps that find nothing, in one step.
        const next = Math.min(...model.sessions.map((session) => model.expiresAt(session)))
        const skipped = Math.max(1, Math.ceil((Math.min(next, until + 1) - at) / model.options.intervalMs))
        model.nextSweepAt = at + skipped * model.options.intervalMs
        continue
      }
      this.clock.advance(at - this.clock.now())
      model.nextSweepAt = at + model.options.intervalMs
      this.#expectEvents(expired.flatMap((session) => this.#ended(session)))
      this.#sweptNow(expired.length)
    }
    this.clock.advance(until - this.clock.now())
    this.#expectEvents([])
    this.#sweptNow(0)
  }

  /** Compares what must be equal after every command. */
  #same(): void {
    const { model, registry, clock } = this
    expect(registry.size).toBe(model.sessions.length)
    expect(clock.pending).toBe(model.nextSweepAt === undefined ? 0 : 1)
    const held = model.sessions.filter(({ holds }) => holds > 0).length
    expect(registry.stats()).toMatchObject({ ...model.counts, size: model.sessions.length, held })
    expect(this.#lines).toEqual([])
  }
}

function own(timeoutMs: number | undefined) {
  return timeoutMs === undefined ? undefined : { timeoutMs }
}
