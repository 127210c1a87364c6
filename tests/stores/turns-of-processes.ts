import { randomUUID } from 'node:crypto'
import type { SessionStore } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { context } from '../support/store-session.ts'
import { ended, kill } from '../support/store-work.ts'
import { isWhole, TurnWorkers } from '../support/turn-work.ts'
import { waitUntil } from '../support/wait-until.ts'
import type { SharedStore } from './several-processes.ts'

/** What holds of turns of a registry whose process is killed, and of those of several on one store. */
export function describeSharedTurns(name: string, open: () => SharedStore | Promise<SharedStore>): void {
  describe(`turns of processes on ${name}`, () => {
    it('killed in the middle of 1 000 turns: no turn whose run resolved is lost, and no half value is read', async () => {
      const { source, store } = await open()
      const ids = newIds()
      const workers = new TurnWorkers(source, ids)
      let left = 1_000
      // Killed early, in the middle and late; then the next start goes on.
      for (const after of [40, 300, 250]) {
        const before = workers.lines().length
        const child = await workers.start(left)
        await waitUntil(() => workers.lines().length >= before + after)
        await kill(child)
        left = 1_000 - workers.lines().length
        await expectAllResolved(store, workers, ids)
      }
      expect(await ended(await workers.start(left))).toBe(0)

      const { resolved, rejected, errors } = await expectAllResolved(store, workers, ids)
      expect(resolved.length).toBe(1_000)
      expect(rejected).toEqual([])
      expect(errors).toEqual([])
    }, 240_000)

    it('two at once: each turn is in the history, or its run rejected', async () => {
      const { source, store } = await open()
      const ids = newIds()
      const workers = new TurnWorkers(source, ids)
      const children = await Promise.all([workers.start(150), workers.start(150)])
      expect(await Promise.all(children.map(ended))).toEqual([0, 0])

      const { resolved, rejected } = await expectAllResolved(store, workers, ids)
      expect(resolved.length + rejected.length).toBe(300)
      expect(resolved.length).toBeGreaterThan(30)
      // They were in each other's way, and nothing else failed.
      expect(new Set(rejected)).toEqual(new Set(['ERR_SESSION_STORE_CONFLICT']))
    }, 240_000)
  })
}

/** Checks that each message whose run resolved is stored once, and that all that is stored is whole. */
async function expectAllResolved(store: SessionStore, workers: TurnWorkers, ids: readonly string[]) {
  const stored: string[] = []
  for (const id of ids) {
    const session = await store.get(id, context())
    stored.push(...(JSON.parse(session?.text ?? '[]') as string[]))
  }
  const turns = workers.lines().filter((line) => 'message' in line)
  const resolved = turns.filter(({ code }) => code === undefined).map(({ message }) => message)
  const present = new Set(stored)
  expect(resolved.filter((message) => !present.has(message))).toEqual([])
  expect(present.size).toBe(stored.length)
  expect(stored.filter((message) => !isWhole(message))).toEqual([])
  return {
    resolved,
    rejected: turns.map(({ code }) => code).filter((code) => code !== undefined),
    errors: workers.lines().filter((line) => 'error' in line),
  }
}

/** Ids that no other test has. */
function newIds(): string[] {
  const name = randomUUID()
  return ['ada', 'bob', 'eve'].map((id) => `${id} ${name}`)
}
