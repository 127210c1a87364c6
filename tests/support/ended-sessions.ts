import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { writeHeapSnapshot } from 'node:v8'
import { type Session, SessionRegistry, type SessionStore } from 'session-registry'
import { ManualClock } from 'session-registry/testing'

/**
 * Run in a process of its own: ends sessions in every way, in registries of several kinds, and writes a heap
 * snapshot to the file of its argument. Prints the numbers from which the ids of ended and of live sessions
 * were computed, since an id that was printed would be in the snapshot.
 */
const idOf = (number: number): string => createHash('sha256').update(`${number}`).digest('hex')

const clock = new ManualClock()
const live: number[] = []
let next = 0

/** Returns the numbers of `count` new sessions. */
function numbers(count: number): number[] {
  return Array.from({ length: count }, () => next++)
}

async function rejects(promise: Promise<unknown>): Promise<void> {
  await promise.then(
    () => Promise.reject(new Error('Expected a rejection')),
    () => {},
  )
}

/** Uses and ends sessions in every way that does not need options. */
async function useAndEnd(sessions: SessionRegistry<{ text: string }>): Promise<void> {
  const open = async (number: number) => void (await sessions.open(idOf(number), { owner: idOf(number) }))
  for (const number of numbers(20)) {
    await open(number)
    sessions.delete(idOf(number))
  }
  for (const number of numbers(20)) {
    await open(number)
    // What is assigned over and replaced must go as well as the session that it was.
    sessions.replace(idOf(number), { text: 'another' })
    sessions.delete(idOf(number))
  }
  for (const number of numbers(20)) {
    await sessions.run(idOf(number), async (session) => {
      await sessions.run(idOf(number), () => {})
      session.value.text += '!'
    })
    await rejects(sessions.run(idOf(number), () => Promise.reject(new Error('the turn failed'))))
    const running = sessions.run(idOf(number), () => setImmediate())
    await rejects(sessions.run(idOf(number), () => {}, { whenBusy: 'reject' }))
    const waiting = sessions.run(idOf(number), () => {})
    await Promise.all([running, waiting])
    for await (const part of sessions.stream(idOf(number), async function* () {
      yield 1
      yield 2
    }))
      if (part === 1) break
    sessions.hold(idOf(number))?.release()
    await rejects(sessions.run(idOf(number), () => {}, { owner: 'another' }))
    sessions.touch(idOf(number))
    sessions.peek(idOf(number))
  }
  for (const number of numbers(20)) await sessions.open(idOf(number), { owner: 'ada' })
  await sessions.forgetOwner('ada')
  for (const number of numbers(20)) {
    await open(number)
    const session = sessions.peek(idOf(number)) as Session<unknown>
    session.timeoutMs = 50
  }
  clock.advance(50)
  await setImmediate()
  clock.advance(1_000)
  for (const number of numbers(20)) await open(number)
  for (let round = 0; round < 20; round += 1) {
    clock.advance(1_000)
    sessions.sweep()
    await setImmediate()
  }
  for (const number of numbers(20)) await open(number)
  sessions.clear()
  await sessions.settled()
}

const timeouts = { clock, timeoutMs: 1_000, tombstoneMs: 60_000, create: () => ({ text: '' }) }

const stored = new Map<string, Parameters<SessionStore['put']>[0]>()
const store: SessionStore = {
  get: async (id) => stored.get(id),
  put: async (session) => stored.set(session.id, session) !== undefined,
  delete: async (id) => void stored.delete(id),
  owned: async (owner) =>
    [...stored.values()].filter((session) => session.owner === owner).map(({ id }) => id),
}
let archives = 0
const lines: string[] = []
const logger = {
  debug: (fields: object) => void lines.push(JSON.stringify(fields)),
  info: (fields: object) => void lines.push(JSON.stringify(fields)),
  warn: (fields: object) => void lines.push(JSON.stringify(fields)),
  error: (fields: object) => void lines.push(JSON.stringify(fields)),
}

const unobserved = new SessionRegistry<{ text: string }>(timeouts)
const registries = [
  unobserved,
  new SessionRegistry<{ text: string }>(timeouts),
  new SessionRegistry<{ text: string }>({ ...timeouts, logger, maxPerOwner: 5, maxSessions: 10 }),
  new SessionRegistry<{ text: string }>({
    ...timeouts,
    create: async () => ({ text: '' }),
    dispose: async () => setImmediate(),
  }),
  new SessionRegistry<{ text: string }>({
    ...timeouts,
    rollback: true,
    archiveAttempts: 4,
    load: () => undefined,
    archive: async () => {
      if (archives++ % 3 === 0) throw new Error('the archive failed')
    },
  }),
  new SessionRegistry<{ text: string }>({ ...timeouts, store }),
]
for (const sessions of registries) {
  sessions.on('error', () => {})
  if (sessions !== unobserved)
    sessions
      .on('created', () => {})
      .on('expired', () => {})
      .on('ended', () => {})
  // A hidden class, a cache or a last match of a regular expression would keep the last one only.
  await useAndEnd(sessions)
  await useAndEnd(sessions)
  for (let round = 0; round < 20; round += 1) {
    clock.advance(10_000)
    await setImmediate()
  }
  if (sessions.size > 0 || sessions.stats().archiving > 0) throw new Error('Expected no session to be left')
}
const ended = next
stored.clear()
const kept = registries.map((sessions) => {
  const [number] = numbers(1) as [number]
  live.push(number)
  return sessions.open(idOf(number))
})
await Promise.all(kept)
writeHeapSnapshot(process.argv[2])
console.log(
  JSON.stringify({ ended, live, sessions: registries.map(({ size }) => size), lines: lines.length }),
)
