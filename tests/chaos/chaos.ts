import { AsyncLocalStorage } from 'node:async_hooks'
import { isSessionRegistryError, type RunOptions, SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { Random } from '../support/random.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { settle } from '../support/settle.ts'
import { UnreliableStore } from './unreliable-store.ts'
import { type SeenTurn, Witness } from './witness.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f']

/**
 * The turns that the present code is a part of, the innermost last. One for all rounds: Node 20 never lets go of a
 * storage that was used, and looks at every one of them for each promise.
 */
const scopes = new AsyncLocalStorage<readonly SeenTurn[]>()

export interface ChaosReport {
  readonly problems: readonly string[]
  readonly sessions: number
  readonly messages: number
}

/** Random use of one registry, from the first session to `close`, and what was wrong with it. */
export async function chaos(seed: number): Promise<ChaosReport> {
  return new Chaos(seed).run()
}

class Chaos {
  readonly #random: Random
  readonly #clock = new ManualClock()
  readonly #store: UnreliableStore
  readonly #registry: SessionRegistry<number[]>
  readonly #witness: Witness
  readonly #unsettled = new Set<Promise<unknown>>()
  readonly #holds: { release(): void }[] = []
  #said = 0
  /** How many more things listeners may do: enough for trouble, few enough to come to an end. */
  #mischief = 0
  #isClosing = false

  constructor(seed: number) {
    const random = new Random(seed)
    this.#random = random
    this.#store = new UnreliableStore(random, this.#clock)
    const maxTurnMs = random.pick([40, 80, 1_000])
    const maxSessions = random.pick([1, 2, 4, 6, Number.POSITIVE_INFINITY])
    this.#registry = new SessionRegistry<number[]>({
      clock: this.#clock,
      logger: new RecordingLogger(),
      timeoutMs: random.pick([50, 100, 200, Number.POSITIVE_INFINITY]),
      maxAgeMs: random.pick([150, 400, Number.POSITIVE_INFINITY]),
      maxTurnMs,
      intervalMs: random.pick([20, 70, 1_000_000]),
      maxSessions,
      whenFull: random.pick(['evict', 'evict', 'reject']),
      archiveConcurrency: random.pick([1, 2, 8]),
      archiveAttempts: random.pick([1, 2, 5]),
      archiveTimeoutMs: random.pick([30, 60]),
      create: () => {
        if (random.chance(0.03)) throw new Error('no value today')
        if (random.chance(0.03)) this.#misbehave()
        return []
      },
      archive: this.#store.archive,
      load: this.#store.load,
    })
    this.#witness = new Witness(this.#registry, this.#clock, { maxSessions, maxTurnMs })
    for (const event of ['created', 'expired', 'ended'] as const) {
      this.#registry.on(event, () => this.#misbehave())
    }
    this.#registry.on('error', () => this.#misbehave())
  }

  async run(): Promise<ChaosReport> {
    const steps = 40 + this.#random.below(120)
    for (let step = 0; step < steps; step += 1) {
      this.#mischief = 3
      this.#act()
      if (this.#random.chance(0.3)) await this.#clock.advanceAsync(this.#random.below(60))
      else if (this.#random.chance(0.2)) this.#clock.advance(this.#random.below(60))
      else if (this.#random.chance(0.5)) await Promise.resolve()
      this.#witness.checkCap()
    }
    await this.#close()
    const { sessions, messages } = this.#witness.saw
    return { problems: this.#witness.problems, sessions, messages }
  }

  async #close(): Promise<void> {
    this.#isClosing = true
    if (this.#random.chance(0.5)) this.#store.isReliable = true
    const deadlineMs = this.#random.pick([0, 100, 2_000])
    this.#clock.setTimeout(() => this.#witness.deadlinePasses(), deadlineMs)
    const report = this.#registry.close({ deadlineMs })
    if (this.#registry.close() !== report) this.#witness.blame('close gave another promise')
    if (this.#random.chance(0.5)) this.#registry.delete(this.#deletable())
    let closed: Awaited<typeof report> | undefined
    report.then((value) => {
      closed = value
    })
    for (let left = 100; left > 0 && closed === undefined; left -= 1) await this.#clock.advanceAsync(50)
    // Turns that ignore their signal may still go on for a while.
    for (let left = 20; left > 0; left -= 1) await this.#clock.advanceAsync(100)
    await settle()
    if (closed === undefined) this.#witness.blame('close did not come to an end')
    if (this.#unsettled.size > 0) this.#witness.blame(`${this.#unsettled.size} calls never settled`)
    const failed = closed?.failed ?? []
    const { size, held, archiving } = this.#registry.stats()
    if (size + held + archiving > 0) this.#witness.blame('something is left after close')
    if (this.#clock.pending > 0) this.#witness.blame(`${this.#clock.pending} timers are left after close`)
    this.#witness.checkEnd((id) => [
      ...(this.#store.stored.get(id) ?? []),
      ...failed.filter((session) => session.id === id).flatMap(({ value }) => value),
    ])
  }

  #act(): void {
    const { below, pick } = { below: (n: number) => this.#random.below(n), pick: this.#random }
    const id = pick.pick(ids)
    const kind = below(100)
    if (kind < 50) this.#say(id)
    else if (kind < 60) this.#track(this.#registry.open(id))
    else if (kind < 68) this.#hold(id)
    else if (kind < 76) this.#holds.splice(below(this.#holds.length + 1), 1)[0]?.release()
    else if (kind < 80) this.#registry.delete(this.#deletable())
    else if (kind < 81) this.#clear()
    else if (kind < 82) this.#set(id)
    else if (kind < 83) this.#replace(id)
    else if (kind < 88) this.#registry.sweep()
    else if (kind < 94) this.#registry.get(id)
    else this.#refusing(() => this.#registry.getOrCreate(id))
  }

  /** What a listener, a factory or an abort signal's listener does in the middle of things. */
  #misbehave(): void {
    this.#witness.checkCap()
    if (this.#mischief <= 0 || !this.#random.chance(0.3)) return
    this.#mischief -= 1
    if (this.#random.chance(0.2)) throw new Error('a listener failed')
    this.#act()
  }

  #say(id: string): void {
    const random = this.#random
    const options: { -readonly [K in keyof RunOptions]: RunOptions[K] } = {}
    options.whenBusy = random.pick(['wait', 'wait', 'wait', 'reject', 'interrupt', 'join'])
    if (random.chance(0.1)) options.create = false
    if (random.chance(0.15)) {
      const controller = new AbortController()
      options.signal = controller.signal
      this.#clock.setTimeout(() => controller.abort(new Error('gone')), random.below(60))
    }
    this.#track(this.#turn(id, options))
  }

  #turn(id: string, options: RunOptions): Promise<unknown> {
    const outers = scopes.getStore() ?? []
    const outer = outers.findLast((turn) => turn.id === id && this.#witness.runs(turn))
    const joins = options.whenBusy === 'join'
    let accepted: { readonly message: number; readonly deletions: number } | undefined
    const turn = this.#registry.run(
      id,
      (session, signal) => {
        const startedAt = this.#clock.now()
        const seen: SeenTurn = {
          id,
          session,
          startedAt,
          excludes: outer?.excludes ?? !joins,
          outer,
        }
        const deletions = this.#witness.deletionsOf(id)
        this.#witness.turnStarts(seen)
        return scopes.run([...outers, seen], async () => {
          try {
            const message = await this.#talk(seen, signal)
            if (message !== undefined) accepted = { message, deletions }
          } finally {
            this.#witness.turnEnds(seen)
          }
        })
      },
      options,
    )
    return turn.then(() => {
      if (accepted !== undefined) this.#witness.accepted(id, accepted.message, accepted.deletions)
    })
  }

  /** What happens inside a turn; gives the message that it has left in the session. */
  async #talk(turn: SeenTurn, signal: AbortSignal): Promise<number | undefined> {
    const random = this.#random
    const { id, session } = turn
    if (random.chance(0.1)) signal.addEventListener('abort', () => this.#quietly(() => this.#misbehave()))
    // A turn that writes back what it has read would notice a message that came in between.
    const copies = turn.outer === undefined && random.chance(0.3)
    const before = [...session.value]
    if (random.chance(0.7)) await this.#wait(random.below(random.chance(0.1) ? 150 : 30), signal)
    if (!copies && random.chance(0.2)) {
      const nested = this.#turn(id, {})
      // One in three is not waited for.
      if (random.chance(0.67)) await nested
      else this.#track(nested)
    }
    if (random.chance(0.05)) throw new Error('the turn failed')
    if (!turn.excludes || signal.aborted) return undefined
    this.#said += 1
    const message = this.#said
    this.#witness.said(id, message)
    if (copies) session.value = [...before, message]
    else session.value.push(message)
    if (random.chance(0.3)) await this.#wait(random.below(10), signal)
    return message
  }

  /** Some turns stop as their signal aborts, others do not care. */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    const obeys = this.#random.chance(0.5)
    return new Promise((resolve, reject) => {
      this.#clock.setTimeout(resolve, ms)
      if (obeys) signal.addEventListener('abort', () => reject(signal.reason))
    })
  }

  #hold(id: string): void {
    const hold = this.#registry.hold(id)
    if (hold !== undefined) this.#holds.push(hold)
  }

  #deletable(): string {
    const id = this.#random.pick(ids)
    this.#forget(id)
    return id
  }

  #clear(): void {
    for (const id of ids) this.#forget(id)
    this.#registry.clear()
  }

  /** What the application does with the stored part of what it deletes. */
  #forget(id: string): void {
    this.#store.stored.delete(id)
    this.#witness.forgotten(id)
  }

  #set(id: string): void {
    this.#refusing(() => {
      this.#registry.set(id, [])
      this.#witness.deleted(id)
    })
  }

  #replace(id: string): void {
    this.#refusing(() => {
      this.#registry.replace(id, [])
      this.#witness.deleted(id)
    })
  }

  /** Refusals by code are part of the game; anything else is not. */
  #refusing(call: () => void): void {
    try {
      call()
    } catch (error) {
      const isRefusal =
        isSessionRegistryError(error, 'ERR_SESSION_NEEDS_OPEN') ||
        isSessionRegistryError(error, 'ERR_SESSION_REGISTRY_FULL') ||
        (this.#isClosing && isSessionRegistryError(error, 'ERR_SESSION_REGISTRY_CLOSED'))
      if (!isRefusal) this.#witness.blame(`a call threw ${error}`)
    }
  }

  #quietly(call: () => void): void {
    try {
      call()
    } catch {
      // An abort signal's listener that throws would be Node's to report.
    }
  }

  #track(promise: Promise<unknown>): void {
    this.#unsettled.add(promise)
    const done = () => this.#unsettled.delete(promise)
    promise.then(done, done)
  }
}
