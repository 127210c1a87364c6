import { setTimeout as wait } from 'node:timers/promises'
import type { RedisClientType } from 'redis'
import { isSessionRegistryError, type Session } from 'session-registry'
import { Keys } from '../../../src/redis/storage/keys.ts'
import { Random } from '../../support/random.ts'
import { connectClient } from '../../support/redis-clients.ts'
import { uniquePrefix } from '../../support/redis-suite.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { Process } from './process.ts'
import { Store, type Weather } from './store.ts'
import { ownerOf, Witness } from './witness.ts'

const processCount = 3
const idCount = 5

/** Concurrent visitors per id, such as one person with two windows. */
const windows = 2
const runsForMs = 4_000

const options = {
  shards: 2,
  timeoutMs: 60,
  intervalMs: 40,
  leaseMs: 500,
  callTimeoutMs: 300,
  turnGraceMs: 50,
  maxTurnMs: 3_000,
  archiveConcurrency: 2,
  archiveAttempts: 4,
  archiveTimeoutMs: 400,
  tombstoneMs: 600_000,
}

export interface ProgramReport {
  readonly problems: readonly string[]
  readonly turns: number
  readonly refusals: number
  readonly archives: number
}

/**
 * A random program: visitors use several processes while connections break, processes crash and close, and
 * the database is down. The seed determines the events, not their timing.
 */
export async function runProgram(url: string, seed: number): Promise<ProgramReport> {
  const random = new Random(seed)
  const witness = new Witness()
  const store = new Store(new Random(seed + 1))
  const prefix = uniquePrefix()
  const start = (more: { readonly callTimeoutMs?: number } = {}) =>
    Process.start(url, { ...options, prefix, ...more }, store, witness)
  const started: Process[] = []
  const processes: Process[] = []
  for (let index = 0; index < processCount; index += 1) processes.push(await start())
  started.push(...processes)
  const endsAt = performance.now() + runsForMs
  const isFinished = () => performance.now() > endsAt
  let words = 0

  async function visit(id: string): Promise<void> {
    const process = random.pick(processes)
    words += 1
    const word = String(words)
    witness.saving(id, word)
    try {
      const turn = async (session: Session<string[]>, signal: AbortSignal) => {
        if (!process.isGone) witness.sees(id, session.value, 'a turn')
        if (random.chance(0.3)) await wait(random.below(30))
        if (isSessionRegistryError(signal.reason, 'ERR_SESSION_TURN_INTERRUPTED'))
          witness.problems.push(`a stranger interrupted a turn of ${id}`)
        session.value.push(word)
      }
      await process.registry.run(id, turn, { owner: ownerOf(id) })
      if (!process.isGone) witness.acknowledged(id, word)
    } catch (error) {
      witness.rejected(error, process.isGone)
    }
  }

  async function visitor(id: string): Promise<void> {
    while (!isFinished()) {
      await visit(id)
      await wait(random.pick([0, 10, 40, 100, 200, 400]))
    }
  }

  /** A visitor with ids of others. */
  async function stranger(): Promise<void> {
    while (!isFinished()) {
      const process = random.pick(processes)
      const id = `visitor-${random.below(idCount)}`
      const whenBusy = random.pick(['wait', 'reject', 'interrupt', 'join'] as const)
      const options = { owner: 'a stranger', create: false, whenBusy } as const
      try {
        const result = await process.registry.run(id, () => 'let in', options)
        if (result !== undefined) witness.problems.push(`a stranger was let in to ${id}`)
      } catch (error) {
        witness.refused(error, process.isGone)
      }
      await wait(random.pick([1, 5, 40]))
    }
  }

  async function faults(): Promise<void> {
    const replace = async (index: number, end: (process: Process) => unknown) => {
      const process = processes[index]
      const next = await start()
      started.push(next)
      processes[index] = next
      if (process !== undefined) await end(process)
    }
    const acts = {
      cut: async () => random.pick(processes).proxy.cut(),
      outage: async () => {
        const { proxy } = random.pick(processes)
        if (random.chance(0.5)) proxy.refuse()
        else proxy.goDeaf()
        await wait(random.pick([100, 400, 900]))
        proxy.heal()
      },
      crash: () => replace(random.below(processCount), (process) => process.crash()),
      close: () => replace(random.below(processCount), ({ registry }) => registry.close({ deadlineMs: 50 })),
      weather: async () => {
        store.weather = random.pick<Weather>(['down', 'down', 'forgetful'])
        await wait(random.pick([100, 500, 1_200]))
        store.weather = 'well'
      },
      retry: async () => {
        await random.pick(processes).registry.retryDead()
      },
    }
    while (!isFinished()) {
      await wait(random.below(250))
      const act = random.pick(['cut', 'outage', 'crash', 'close', 'weather', 'weather', 'retry'] as const)
      await acts[act]().catch((error: unknown) => witness.rejected(error, false))
    }
  }

  const visitors = Array.from({ length: idCount * windows }, (_, index) =>
    visitor(`visitor-${index % idCount}`),
  )
  await Promise.all([...visitors, stranger(), faults()])
  store.weather = 'well'
  for (const { isGone, proxy } of started) if (!isGone) proxy.heal()
  // No more faults; the wait allows for a busy machine.
  const last = await start({ callTimeoutMs: 5_000 })
  started.push(last)
  // Every visitor returns once more, and must see every word.
  for (let index = 0; index < idCount; index += 1) {
    const turn = async ({ id, value }: Session<string[]>) => {
      witness.sees(id, value, 'the last turn')
      if ((await last.registry.whyGone(id)) !== undefined) witness.problems.push(`${id} lives, and is gone`)
    }
    await last.registry.run(`visitor-${index}`, turn, { owner: ownerOf(`visitor-${index}`) })
  }
  const { client, close } = await connectClient('redis', url)
  const keys = new Keys(prefix, options.shards)
  await waitUntil(async () => {
    await last.registry.retryDead()
    // Sessions that are live or not claimed yet, claims, and dead letters: a process may have crashed in the
    // last attempt.
    const unsettled = [0, 1].flatMap((shard) => [
      keys.deadlines(shard),
      keys.queue(shard)[0],
      keys.dead(shard),
    ])
    const counts = await Promise.all(unsettled.map((key) => (client as RedisClientType).zCard(key)))
    return counts.every((count) => count === 0)
  })
  for (let index = 0; index < idCount; index += 1)
    witness.tells(`visitor-${index}`, await last.registry.whyGone(`visitor-${index}`))
  await close()
  await Promise.all(started.map((process) => process.end()))
  witness.expectStored(store.values)
  const { problems, turns, refusals, archives } = witness
  return { problems, turns, refusals, archives }
}
