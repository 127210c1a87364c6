import { setTimeout as sleep } from 'node:timers/promises'
import type { DeleteContext, PutContext, StoreContext, StoredSession } from 'session-registry'
import { isSessionRegistryError } from 'session-registry'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { MemoryStore } from '../../support/memory-store.ts'
import { Random } from '../../support/random.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { repeatedBy, seedsOf } from '../../support/seeds.ts'

/** Seeds that once found a fault. */
const remembered: readonly number[] = []

const ids = ['ada', 'bob', 'eve', 'joe', 'sue']
const stepsPerId = 40

/** A store that is slow, and fails one time in five, before or after its effect. */
class FlakyStore extends MemoryStore {
  isHealthy = false
  readonly #random: Random

  constructor(random: Random) {
    super()
    this.#random = random
  }

  override get(id: string, context: StoreContext): Promise<StoredSession | undefined> {
    return this.#flaky(() => super.get(id, context))
  }

  override put(session: StoredSession, context: PutContext): Promise<boolean> {
    return this.#flaky(() => super.put(session, context))
  }

  override delete(id: string, context: DeleteContext): Promise<void> {
    return this.#flaky(() => super.delete(id, context))
  }

  get ids(): string[] {
    return [...this.kept.keys()]
  }

  async #flaky<R>(call: () => Promise<R>): Promise<R> {
    if (this.isHealthy) return call()
    const fails = this.#random.chance(0.2)
    const isAfter = this.#random.chance(0.5)
    await sleep(this.#random.below(25))
    if (fails && !isAfter) throw new Error('the connection was refused')
    const result = await call()
    if (fails) throw new Error('the connection was cut')
    return result
  }
}

/** Visitors of two processes that come and go, each with a model of its own history. */
class Program {
  readonly problems: string[] = []
  readonly counts = { turns: 0, loads: 0, deletions: 0, failedReads: 0, saves: 0 }
  readonly #random: Random
  readonly #make: () => Promise<RedisSessionRegistry<number[]>>
  #processes: RedisSessionRegistry<number[]>[] = []
  #messages = 0

  constructor(random: Random, make: () => Promise<RedisSessionRegistry<number[]>>) {
    this.#random = random
    this.#make = make
  }

  async run(): Promise<Map<string, readonly number[]>> {
    for (let count = 0; count < 2; count += 1) this.#processes.push(await this.#start())
    const histories = await Promise.all(ids.map(async (id) => [id, await this.#visit(id)] as const))
    await Promise.all(this.#processes.map((registry) => registry.close()))
    return new Map(histories)
  }

  async #start(): Promise<RedisSessionRegistry<number[]>> {
    const registry = await this.#make()
    registry.on('error', () => {})
    registry.on('created', () => {})
    return registry
  }

  /** Runs the steps of one visitor. Returns the messages that must be in its history. */
  async #visit(id: string): Promise<readonly number[]> {
    let history: readonly number[] = []
    for (let step = 0; step < stepsPerId; step += 1) {
      const registry = this.#random.pick(this.#processes)
      try {
        history = await this.#step(registry, id, history)
      } catch (error) {
        if (isSessionRegistryError(error, 'ERR_SESSION_STORE_FAILED')) this.counts.failedReads += 1
        else if (!isSessionRegistryError(error, 'ERR_SESSION_REGISTRY_CLOSED')) throw error
      }
    }
    return history
  }

  async #step(
    registry: RedisSessionRegistry<number[]>,
    id: string,
    history: readonly number[],
  ): Promise<readonly number[]> {
    const choice = this.#random.below(100)
    if (choice < 45) return this.#turn(registry, id, history)
    // Long enough to expire, and perhaps to be in the middle of an archive.
    if (choice < 68) await sleep(60 + this.#random.below(120))
    else if (choice < 82) return this.#turnAndSave(registry, id, history)
    else if (choice < 95) return this.#delete(registry, id)
    else await this.#restart(registry)
    return history
  }

  async #turn(
    registry: RedisSessionRegistry<number[]>,
    id: string,
    history: readonly number[],
  ): Promise<readonly number[]> {
    this.#messages += 1
    const message = this.#messages
    await registry.run(id, (session) => {
      if (JSON.stringify(session.value) !== JSON.stringify(history))
        this.problems.push(`${id} had [${session.value}], not [${history}]`)
      session.value.push(message)
    })
    this.counts.turns += 1
    return [...history, message]
  }

  async #turnAndSave(
    registry: RedisSessionRegistry<number[]>,
    id: string,
    history: readonly number[],
  ): Promise<readonly number[]> {
    const longer = await this.#turn(registry, id, history)
    await this.#save(registry, id).catch(() => {})
    return longer
  }

  async #save(registry: RedisSessionRegistry<number[]>, id: string): Promise<void> {
    if (await registry.save(id)) this.counts.saves += 1
  }

  /** Deletes, perhaps while the session is being saved. */
  async #delete(registry: RedisSessionRegistry<number[]>, id: string): Promise<readonly number[]> {
    const other = this.#random.pick(this.#processes)
    const saving = this.#random.chance(0.7) ? this.#save(other, id).catch(() => {}) : undefined
    if (this.#random.chance(0.3)) {
      // If it rejects, it goes on, or has not begun in a process that is closing.
      await registry.forget(id).catch(() => this.#random.pick(this.#processes).delete(id))
    } else {
      await registry.delete(id)
    }
    this.counts.deletions += 1
    await saving
    return []
  }

  async #restart(registry: RedisSessionRegistry<number[]>): Promise<void> {
    this.counts.loads += (await registry.stats()).loaded
    const started = await this.#start()
    this.#processes = this.#processes.map((one) => (one === registry ? started : one))
    await registry.close({ deadlineMs: this.#random.pick([0, 50]) })
  }
}

describeOnRedis('random faults of a store behind Redis', (redis) => {
  it.each([...remembered, ...seedsOf({ rounds: 2 })])(
    'nothing that a turn stored is lost, and nothing that was deleted comes back: seed %i',
    { timeout: 180_000 },
    async (seed) => {
      const random = new Random(seed)
      const store = new FlakyStore(random)
      const prefix = uniquePrefix()
      const options = { prefix, store, create: () => [], timeoutMs: 60, leaseMs: 1_000, archiveAttempts: 3 }
      const quick = { turnGraceMs: 10, callTimeoutMs: 2_000, intervalMs: 50, shards: 2 }
      const make = () => testRegistry<number[]>(redis, { ...options, ...quick })
      const program = new Program(random, make)
      const histories = await program.run()
      store.isHealthy = true
      const last = await make()

      for (const [id, history] of histories)
        expect(await last.open(id), `${id}, ${repeatedBy(seed)}`).toEqual(history)
      expect(program.problems, repeatedBy(seed)).toEqual([])
      // A program without effects proves nothing.
      const { turns, deletions, failedReads, saves } = program.counts
      expect(turns).toBeGreaterThan(20)
      for (const count of [deletions, failedReads, saves]) expect(count).toBeGreaterThan(0)

      for (const id of ids) await last.forget(id)
      expect([store.ids, await last.deadCount(), await last.size()]).toEqual([[], 0, 0])
    },
  )
})
