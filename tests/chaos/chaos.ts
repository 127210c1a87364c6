import { type Hold, isSessionRegistryError, SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { Random } from '../support/random.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { settle } from '../support/settle.ts'
import { ChaosTurns } from './chaos-turns.ts'
import { UnreliableStore } from './unreliable-store.ts'
import { Witness } from './witness.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f']

export interface ChaosReport {
  readonly problems: readonly string[]
  readonly sessions: number
  readonly messages: number
}

/** Random use of one registry, from the first session to `close`, and the faults that it found. */
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
  readonly #turns: ChaosTurns
  readonly #turnGraceMs: number
  readonly #holds: Hold[] = []
  /** Number of calls that listeners may still make, so that a round ends. */
  #mischief = 0
  #isClosing = false

  constructor(seed: number) {
    const random = new Random(seed)
    this.#random = random
    this.#store = new UnreliableStore(random, this.#clock)
    const maxTurnMs = random.pick([40, 80, 1_000])
    const turnGraceMs = random.pick([0, 20, 60])
    const rollback = random.chance(0.5)
    this.#turnGraceMs = turnGraceMs
    const maxSessions = random.pick([1, 2, 4, 6, Number.POSITIVE_INFINITY])
    this.#registry = new SessionRegistry<number[]>({
      clock: this.#clock,
      logger: new RecordingLogger(),
      timeoutMs: random.pick([50, 100, 200, Number.POSITIVE_INFINITY]),
      maxAgeMs: random.pick([150, 400, Number.POSITIVE_INFINITY]),
      maxTurnMs,
      turnGraceMs,
      rollback,
      maxHoldMs: random.pick([30, 100, Number.POSITIVE_INFINITY]),
      maxWaiting: random.pick([0, 1, 3, 1_000]),
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
    this.#witness = new Witness(this.#registry, this.#clock, { maxSessions, maxTurnMs, turnGraceMs })
    this.#turns = new ChaosTurns(this.#registry, this.#clock, random, this.#witness, {
      rollback,
      misbehave: () => this.#quietly(() => this.#misbehave()),
      track: (promise) => this.#track(promise),
    })
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
    this.#clock.setTimeout(() => this.#witness.deadlinePasses(), deadlineMs + this.#turnGraceMs)
    // Holds have no grace.
    for (const hold of this.#holds) this.#clock.setTimeout(() => hold.release(), deadlineMs)
    const report = this.#registry.close({ deadlineMs })
    if (this.#registry.close() !== report) this.#witness.blame('close gave another promise')
    if (this.#random.chance(0.5)) this.#registry.delete(this.#deletable())
    let closed: Awaited<typeof report> | undefined
    report.then((value) => {
      closed = value
    })
    for (let left = 100; left > 0 && closed === undefined; left -= 1) await this.#clock.advanceAsync(50)
    // Turns that ignore their signal may still go on for a while.
    for (let left = 25; left > 0; left -= 1) await this.#clock.advanceAsync(100)
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
    if (kind < 50) this.#turns.say(id)
    else if (kind < 58) this.#track(this.#registry.open(id))
    else if (kind < 60) this.#acquire(id)
    else if (kind < 68) this.#hold(id)
    else if (kind < 75) this.#holds.splice(below(this.#holds.length + 1), 1)[0]?.release()
    else if (kind < 76) this.#renew()
    else if (kind < 80) this.#registry.delete(this.#deletable())
    else if (kind < 81) this.#clear()
    else if (kind < 82) this.#set(id)
    else if (kind < 83) this.#replace(id)
    else if (kind < 88) this.#registry.sweep()
    else if (kind < 94) this.#registry.get(id)
    else this.#refusing(() => this.#registry.getOrCreate(id))
  }

  /** A random call by a listener, a factory or an abort listener. */
  #misbehave(): void {
    this.#witness.checkCap()
    if (this.#mischief <= 0 || !this.#random.chance(0.3)) return
    this.#mischief -= 1
    if (this.#random.chance(0.2)) throw new Error('a listener failed')
    this.#act()
  }

  #hold(id: string): void {
    const maxMs = this.#random.chance(0.5) ? this.#random.below(60) + 1 : undefined
    const hold = this.#registry.hold(id, { maxMs })
    if (hold !== undefined) this.#holds.push(hold)
  }

  #acquire(id: string): void {
    const acquired = this.#registry.acquire(id, { maxMs: this.#random.below(60) + 1 })
    this.#track(
      acquired.then((hold) => {
        this.#holds.push(hold)
        this.#renew()
      }),
    )
  }

  #renew(): void {
    const hold = this.#holds.at(-1)
    if (hold?.renew() === true && !hold.session.held) this.#witness.blame('a hold that holds nothing')
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

  /** Deletes the stored value, as an application does. */
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

  /** Accepts errors with a code, and records any other. */
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
