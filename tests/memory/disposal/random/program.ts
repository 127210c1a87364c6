import { type Hold, isSessionRegistryError, type Session, SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { observe } from '../../../support/observed-promise.ts'
import { Random } from '../../../support/random.ts'
import { settle } from '../../../support/settle.ts'
import { Hooks, hookLimitMs, PlannedFailure, planHooks } from './hooks.ts'
import { OwnedSessions } from './owned-sessions.ts'
import { type Resource, Resources } from './resources.ts'

const ids = ['a', 'b', 'c', 'd'] as const
const turnGraceMs = 4

export interface ProgramReport {
  readonly problems: readonly string[]
  readonly opened: number
  readonly turns: number
  readonly wasFull: boolean
}

/** A random program of calls on one registry of resources, whose hooks take their time and fail. */
class Program {
  readonly #random: Random
  readonly #clock = new ManualClock()
  readonly #resources: Resources
  readonly #hooks: Hooks
  readonly #registry: SessionRegistry<Resource>
  readonly #maxSessions: number
  readonly #owned: OwnedSessions
  readonly #created = new Map<Session<Resource>, number>()
  readonly #holds = new Map<Hold<Resource>, Resource>()
  readonly #work: Promise<unknown>[] = []
  #turns = 0

  constructor(seed: number) {
    const random = new Random(seed)
    this.#random = random
    this.#maxSessions = random.pick([1, 2, 3, 4, Number.POSITIVE_INFINITY])
    this.#resources = new Resources(this.#maxSessions)
    this.#hooks = new Hooks(random, this.#clock, this.#resources, planHooks(random))
    this.#owned = new OwnedSessions(random, this.#resources.problems)
    this.#registry = new SessionRegistry<Resource>({
      clock: this.#clock,
      maxSessions: this.#maxSessions,
      whenFull: random.pick(['evict', 'evict', 'evict', 'reject']),
      timeoutMs: random.pick([15, 15, 1_000]),
      maxAgeMs: random.pick([Number.POSITIVE_INFINITY, 60]),
      intervalMs: 5,
      maxTurnMs: 20,
      maxHoldMs: 25,
      turnGraceMs,
      loadTimeoutMs: hookLimitMs,
      disposeTimeoutMs: hookLimitMs,
      archiveTimeoutMs: hookLimitMs,
      archiveAttempts: 2,
      ...this.#owned.options,
      ...this.#hooks.options,
    })
    this.#listen()
  }

  get #problems(): string[] {
    return this.#resources.problems
  }

  async run(): Promise<ProgramReport> {
    const calls = 20 + this.#random.below(40)
    const closesAt = this.#random.chance(0.5) ? this.#random.below(calls) : calls
    for (let index = 0; index < calls; index += 1) {
      if (index === closesAt) this.#track(this.#registry.close({ deadlineMs: this.#random.below(60) }))
      this.#call()
      this.#resources.check()
      if (this.#random.chance(0.5)) await this.#clock.advanceAsync(this.#random.below(8))
      if (this.#random.chance(0.03)) await this.#checkQuiet()
    }
    if (this.#registry.state === 'open') {
      await this.#checkQuiet()
      await this.#owned.checkRoom((id, owner) => this.#openOwned(id, owner))
    }
    await this.#close()
    return {
      problems: this.#problems,
      opened: this.#resources.all.length,
      turns: this.#turns,
      wasFull: this.#resources.mostOpen === this.#maxSessions,
    }
  }

  #listen(): void {
    const registry = this.#registry
    registry.on('created', (session) => {
      this.#created.set(session, 0)
      this.#owned.onCreated(session)
    })
    registry.on('ended', (session) => {
      this.#owned.onEnded(session)
      const ends = this.#created.get(session) ?? Number.NaN
      if (ends !== 0) this.#problems.push(`ended after ${ends} ends`)
      this.#created.set(session, ends + 1)
    })
    registry.on('error', (error) => this.#checkFailure(error))
  }

  #checkFailure(error: unknown): void {
    if (isSessionRegistryError(error) || error instanceof PlannedFailure) return
    this.#problems.push(`an unexpected failure: ${error}`)
  }

  #track(work: Promise<unknown>): void {
    this.#work.push(work.catch((error) => this.#checkFailure(error)))
  }

  /** A call that may be refused. Returns whether it was not. */
  #try(fn: () => unknown): boolean {
    try {
      fn()
      return true
    } catch (error) {
      this.#checkFailure(error)
      return false
    }
  }

  #call(): void {
    const registry = this.#registry
    const id = this.#random.pick(ids)
    const kinds: readonly [weight: number, call: () => unknown][] = [
      [30, () => this.#track(this.#turn(id))],
      [6, () => this.#track(this.#stream(id))],
      [12, () => this.#track(this.#open(id))],
      [10, () => this.#try(() => registry.getOrCreate(id, undefined, this.#owned.option()))],
      [3, () => this.#try(() => registry.getOrCreate(id, this.#hooks.createNow, this.#owned.option()))],
      [8, () => this.#try(() => registry.delete(id))],
      [7, () => this.#give(id, (resource) => registry.replace(id, resource, this.#owned.option()))],
      [6, () => this.#set(id)],
      [5, () => registry.sweep()],
      [6, () => this.#hold(registry.hold(id))],
      [4, () => this.#track(registry.acquire(id).then((hold) => this.#hold(hold)))],
      [3, () => registry.clear()],
      [2, () => this.#track(registry.forgetOwner(this.#owned.any()))],
    ]
    let at = this.#random.below(kinds.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, call] of kinds) {
      if (at < weight) {
        call()
        return
      }
      at -= weight
    }
  }

  #signal(): { readonly signal?: AbortSignal } {
    if (!this.#random.chance(0.25)) return {}
    const controller = new AbortController()
    this.#clock.setTimeout(
      () => controller.abort(new PlannedFailure('the caller has left')),
      this.#random.below(10),
    )
    return { signal: controller.signal }
  }

  #open(id: string): Promise<unknown> {
    const options = { ...this.#signal(), ...this.#owned.option() }
    return this.#registry.open(id, this.#random.chance(0.2) ? { create: false, ...options } : options)
  }

  /** Opens a new session of an owner, and waits for what has to end before. */
  async #openOwned(id: string, owner: string): Promise<unknown> {
    const opened = observe(this.#registry.open(id, { owner, create: this.#hooks.createNow }))
    await this.#clock.advanceAsync(200)
    return opened.error
  }

  #turn(id: string): Promise<unknown> {
    const whenBusy = this.#random.pick(['wait', 'wait', 'wait', 'reject', 'interrupt', 'join'] as const)
    const owned = this.#owned.option()
    const turn = (session: Session<Resource>, signal: AbortSignal) => {
      this.#owned.check(session, owned)
      return this.#useInTurn(session, signal)
    }
    return this.#registry.run(id, turn, { whenBusy, ...this.#signal(), ...owned })
  }

  async #stream(id: string): Promise<void> {
    const program = this
    const stream = this.#registry.stream(id, async function* (session, signal) {
      for (let part = 0; part < 3 && !signal.aborted; part += 1) {
        await program.#useInTurn(session, signal)
        yield part
      }
    })
    const parts = this.#random.below(4)
    for (let part = 0; part < parts; part += 1) await stream.next()
    await stream.return(undefined)
  }

  /** Uses the value now and then, for as long as the turn has the session. */
  async #useInTurn(session: Session<Resource>, signal: AbortSignal): Promise<void> {
    this.#turns += 1
    let abortedAt = Number.NaN
    signal.addEventListener('abort', () => {
      abortedAt = this.#clock.now()
    })
    const minds = this.#random.chance(0.7)
    for (let round = this.#random.below(4); round >= 0; round -= 1) {
      this.#resources.use(session.value, 'a turn')
      if (this.#random.chance(0.05)) this.#try(() => this.#registry.delete(session.id))
      await this.#hooks.wait(this.#random.below(10))
      if (!signal.aborted) continue
      // From then on a turn has no more than its grace, and less if that is the last deadline of `close`.
      if (this.#clock.now() < abortedAt + turnGraceMs && this.#registry.state !== 'closed')
        this.#resources.use(session.value, 'a turn in its grace')
      if (minds) throw signal.reason
      return
    }
    if (this.#random.chance(0.1)) throw new PlannedFailure('turn')
  }

  #hold(hold: Hold<Resource> | undefined): void {
    if (hold === undefined) return
    this.#holds.set(hold, hold.session.value)
    this.#clock.setTimeout(() => {
      if (!hold.signal.aborted) this.#resources.use(hold.session.value, 'a hold')
      this.#holds.delete(hold)
      hold.release()
    }, this.#random.below(30))
  }

  /** Offers a resource of the program's own; it stays the program's where it is refused. */
  #give(id: string, take: (resource: Resource) => unknown): void {
    const resource = this.#resources.open(id, false)
    if (this.#try(() => take(resource))) this.#resources.adopt(resource)
    else this.#resources.close(resource, 'closed by the app')
  }

  #set(id: string): void {
    const before = this.#registry.peek(id)?.value
    this.#give(id, (resource) => {
      this.#registry.set(id, resource, this.#owned.option())
      // What is assigned over is the program's.
      if (before?.state === 'open' && this.#registry.get(id) === resource)
        this.#resources.close(before, 'closed by the app')
    })
  }

  get #isBusy(): boolean {
    this.#registry.sweep()
    const { archiving, disposing, running, waiting } = this.#registry.stats()
    // A hook that has timed out goes on.
    return archiving + disposing + running + waiting + this.#hooks.waiting > 0
  }

  /** Lets all work end, and compares what is open with what is live. */
  async #checkQuiet(): Promise<void> {
    if (this.#registry.state !== 'open') return
    await this.#clock.advanceAsync(200)
    // A session may expire just then.
    for (let times = 0; times < 5 && this.#isBusy; times += 1) await this.#clock.advanceAsync(60)
    const settled = observe(this.#registry.settled())
    await settle()
    const { archiving, disposing, running, waiting, size } = this.#registry.stats()
    if (settled.state !== 'fulfilled') this.#problems.push('not settled at a quiet moment')
    if (archiving + disposing + running + waiting > 0)
      this.#problems.push(`quiet, but ${JSON.stringify({ archiving, disposing, running, waiting })}`)
    const live = new Set(this.#registry.values())
    const leaked = this.#resources.opened.filter((resource) => !live.has(resource))
    for (const { state, reason } of leaked) this.#problems.push(`leaked: ${state} ${reason}`)
    const lost = [...live].filter(({ state }) => state !== 'open')
    for (const { state, reason } of lost) this.#problems.push(`live, but ${state} ${reason}`)
    this.#owned.compare(this.#registry)
    if (live.size !== size) this.#problems.push(`${size} sessions, of which ${live.size} are live`)
  }

  async #close(): Promise<void> {
    const closing = observe(this.#registry.close({ deadlineMs: 50 }))
    await this.#clock.advanceAsync(1_000)
    await settle()
    const report = closing.value
    if (report === undefined) {
      this.#problems.push(`close is ${closing.state}: ${closing.error}`)
      return
    }
    const settled = observe(this.#registry.settled())
    const all = observe(Promise.all(this.#work))
    await settle()
    if (settled.state !== 'fulfilled') this.#problems.push('not settled after close')
    if (all.state !== 'fulfilled') this.#problems.push('a call has not settled after close')
    const failed = new Set(report.failed.map(({ value }) => value))
    for (const resource of this.#resources.opened)
      if (!failed.has(resource)) this.#problems.push(`leaked by close: ${resource.state} ${resource.reason}`)
    for (const { state } of failed)
      if (state !== 'open') this.#problems.push(`failed to be archived, and ${state}`)
    for (const ends of this.#created.values())
      if (ends !== 1) this.#problems.push(`a session ended ${ends} times`)
    if (this.#clock.pending > 0) this.#problems.push(`${this.#clock.pending} timers are left`)
  }
}

export function runProgram(seed: number): Promise<ProgramReport> {
  return new Program(seed).run()
}
