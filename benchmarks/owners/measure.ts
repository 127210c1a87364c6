import process from 'node:process'
import type { SessionRegistryOptions } from 'session-registry'
import { sessionValue } from '../contender.ts'
import { makeIds } from '../session-ids.ts'
import { collectGarbage } from '../workloads/collect-garbage.ts'

// The program that main.ts runs in a process for each reading: `measure.js <name>` prints a number.

const sessions = 1_000_000
const owners = 100_000

// Resolved at run time: the bundler would take the source.
const build = import.meta.resolve('session-registry')
const { SessionRegistry } = (await import(build)) as typeof import('session-registry')

function makeRegistry(options: SessionRegistryOptions<object> = {}) {
  return new SessionRegistry<object>({ create: () => sessionValue, ...options })
}

type Registry = ReturnType<typeof makeRegistry>

/** Creates one session for each id. `ownerOf`: the owner of the session at an index. */
type Create = (registry: Registry, ids: readonly string[], ownerOf: (index: number) => string) => void

const withoutOwner: Create = (registry, ids) => {
  for (const id of ids) registry.getOrCreate(id)
}

const withOwner: Create = (registry, ids, ownerOf) => {
  for (const [index, id] of ids.entries()) registry.getOrCreate(id, undefined, { owner: ownerOf(index) })
}

/** What a program without owners has to add, to know how many sessions each owner has. */
const countedByHand: Create = (registry, ids, ownerOf) => {
  const counts = new Map<string, { sessions: number }>()
  for (const [index, id] of ids.entries()) {
    registry.getOrCreate(id)
    const owner = ownerOf(index)
    const count = counts.get(owner)
    if (count === undefined) counts.set(owner, { sessions: 1 })
    else count.sessions += 1
  }
}

/** Returns the nanoseconds of CPU time of one creation. */
async function creationNs(create: Create): Promise<number> {
  const ids = makeIds(sessions)
  const ownerIds = makeIds(owners)
  const ownerOf = (index: number) => ownerIds[index % owners] as string
  for (let round = 0; round < 6; round += 1) {
    const registry = makeRegistry()
    create(registry, ids.slice(0, 20_000), ownerOf)
    registry.clear()
  }
  await collectGarbage()
  const registry = makeRegistry()
  const before = process.cpuUsage()
  create(registry, ids, ownerOf)
  const { user, system } = process.cpuUsage(before)
  registry.clear()
  return ((user + system) * 1_000) / sessions
}

/** Returns the bytes that each of a million tombstones takes. */
async function tombstoneBytes(): Promise<number> {
  const ids = makeIds(sessions)
  const ownerIds = makeIds(owners)
  const endAll = (registry: Registry) => {
    for (const [index, id] of ids.entries()) {
      registry.getOrCreate(id, undefined, { owner: ownerIds[index % owners] as string })
      registry.delete(id)
    }
  }
  const bytes = async () => {
    await collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  // The same registry without tombstones: what a slot and the owners leave is not a tombstone's.
  const [plain, keeping] = [makeRegistry(), makeRegistry({ tombstoneMs: 3_600_000, maxTombstones: sessions })]
  endAll(plain)
  const before = await bytes()
  endAll(keeping)
  const after = await bytes()
  if (keeping.whyGone(ids[0] as string) === undefined) throw new Error('Expected all tombstones to be kept')
  return (after - before) / sessions
}

const readings: Readonly<Record<string, () => Promise<number>>> = {
  'without an owner': () => creationNs(withoutOwner),
  'with an owner': () => creationNs(withOwner),
  'without an owner, and counted by hand': () => creationNs(countedByHand),
  tombstone: tombstoneBytes,
}

const read = readings[process.argv[2] ?? '']
if (read === undefined) throw new Error(`Expected a name of ${Object.keys(readings)}`)
console.log(await read())
