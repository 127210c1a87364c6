import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isSessionRegistryError, type Session } from 'session-registry'
import { RedisSessionRegistry } from 'session-registry/redis'
import { Journal, type JournalLine } from './journal.ts'
import { connectClient } from './redis-clients.ts'
import type { Call, Failure, Jobs, Reply, Tally, WorkerSettings } from './worker-jobs.ts'

/** One of several processes that share a Redis: it executes the jobs of its parent and records events. */
const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings
const journal = new Journal(settings.journal)
const { client } = await connectClient(settings.kind, settings.url)

const registry = new RedisSessionRegistry<Tally>({
  client,
  prefix: settings.prefix,
  create: () => ({ n: 0 }),
  ...settings.options,
  ...(settings.archive === undefined ? {} : { archive }),
  ...(settings.store === undefined ? {} : { load }),
})
registry.on('created', (session) => note('created', session))
registry.on('expired', (session, reason) => note('expired', session, { reason }))
registry.on('ended', (session, reason) => note('ended', session, { reason }))
registry.on('error', (error) => journal.write({ what: 'error', code: codeOf(error) }))

let isStopped = false

const jobs: Jobs = {
  async ready() {
    // The first call starts the polling of deadlines.
    await registry.has('unknown')
  },

  async create(ids) {
    await inParallel(32, ids, async (id) => {
      await registry.getOrCreate(id)
    })
    return (await registry.stats()).created
  },

  async increment({ ids, times, parallel }) {
    const failures: string[] = []
    let acknowledged = 0
    const turns = Array.from({ length: times }, (_, index) => ids[index % ids.length] ?? '')
    await inParallel(parallel, turns, async (id) => {
      try {
        await bump(id)
        acknowledged += 1
      } catch (error) {
        failures.push(codeOf(error))
      }
    })
    return { acknowledged, failures }
  },

  async traffic({ ids, parallel, atMost = Number.POSITIVE_INFINITY }) {
    const failures: string[] = []
    let acknowledged = 0
    let started = 0
    const visitor = async () => {
      while (!isStopped && started < atMost) {
        started += 1
        const id = ids[Math.floor(Math.random() * ids.length)] ?? ''
        try {
          if (started % 3 === 0) await registry.get(id)
          else await bump(id)
          acknowledged += 1
        } catch (error) {
          failures.push(codeOf(error))
        }
        await wait(Math.random() * 4)
      }
    }
    await Promise.all(Array.from({ length: parallel }, visitor))
    return { acknowledged, failures }
  },

  async stopTraffic() {
    isStopped = true
  },

  async turn({ id, forMs, isBlocking = false }) {
    await registry.run(id, async (session, signal) => {
      process.send?.({ entered: id })
      session.value.n += 1
      if (isBlocking) block(forMs)
      // A turn that ignores its signal, since one that obeys it would end early.
      else await wait(forMs)
      process.send?.({ left: id, wasAborted: signal.aborted })
    })
  },

  async read(id) {
    return registry.get(id)
  },

  async interrupt(id) {
    await registry.run(
      id,
      (session) => {
        session.value.n += 1
      },
      { whenBusy: 'interrupt' },
    )
  },

  async close(deadlineMs) {
    await registry.close({ deadlineMs })
  },
}

process.on('message', ({ call, job, args }: Call) => {
  const run = jobs[job] as (args: unknown) => Promise<unknown>
  run(args).then(
    (result) => process.send?.({ call, result } satisfies Reply),
    (error: unknown) => process.send?.({ call, failure: failureFrom(error) } satisfies Reply),
  )
})
// The parent has exited.
process.on('disconnect', () => process.exit())
process.send?.({ isUp: true })

async function bump(id: string): Promise<void> {
  const saved = await registry.run(id, (session) => {
    session.value.n += 1
    return { id, incarnation: session.incarnation, n: session.value.n }
  })
  journal.write({ what: 'saved', ...saved })
}

async function archive(
  session: Session<Tally>,
  reason: string,
  { signal, attempt }: { readonly signal: AbortSignal; readonly attempt: number },
): Promise<void> {
  const { leastMs, mostMs } = settings.archive ?? { leastMs: 0, mostMs: 0 }
  note('archiving', session, { attempt, reason })
  try {
    await wait(leastMs + Math.random() * (mostMs - leastMs), undefined, { signal })
    if (session.id.startsWith('poison')) throw new Error('this one cannot be archived')
  } catch (error) {
    note('gave up', session, { attempt })
    throw error
  }
  if (settings.store !== undefined) {
    writeFileSync(join(settings.store, session.id), JSON.stringify(session.value))
  }
  note('archived', session, { attempt, reason })
}

async function load(id: string): Promise<Tally | undefined> {
  const path = join(settings.store ?? '', id)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Tally) : undefined
}

function note(what: JournalLine['what'], session: Session<Tally>, more: Partial<JournalLine> = {}): void {
  const { id, incarnation, createdAt, value } = session
  journal.write({ what, id, incarnation, createdAt, n: value.n, ...more })
}

/** Blocks the event loop, like a long computation. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

async function inParallel<A>(
  width: number,
  all: readonly A[],
  use: (one: A) => Promise<void>,
): Promise<void> {
  const left = all.values()
  const take = async () => {
    for (const one of left) await use(one)
  }
  await Promise.all(Array.from({ length: width }, take))
}

function codeOf(error: unknown): string {
  return isSessionRegistryError(error) ? error.code : String(error)
}

function failureFrom(error: unknown): Failure {
  return { code: codeOf(error), stack: error instanceof Error ? (error.stack ?? '') : '' }
}
