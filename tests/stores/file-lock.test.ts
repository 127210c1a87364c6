import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import { fileStore } from 'session-registry/stores/file'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { keyOf } from '../support/file-stores.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { testFolder } from '../support/test-folder.ts'
import { waitUntil } from '../support/wait-until.ts'

// A lease is waited for on the machine's own clock.
vi.setConfig({ testTimeout: 30_000 })

const key = keyOf('ada')
const leaseMs = 5_000

/** Leaves a lock as a process does that was killed while it held it. */
function lockOfTheDead(folder: string): string {
  const path = join(folder, `${key}.lock`)
  mkdirSync(join(path, 'token-of-the-dead'), { recursive: true })
  return path
}

describe('the lock of a file: its holder is dead', () => {
  it('is taken over after at most five seconds, by a put and a delete', async () => {
    const folder = testFolder()
    const [one, other] = [fileStore(folder), fileStore(folder)]
    const session = storedSession()
    lockOfTheDead(folder)
    const startedAt = performance.now()
    const results = await Promise.all([
      one.put(session, replacing(null)),
      other.put(storedSession(), replacing('another')),
    ])
    expect(performance.now() - startedAt).toBeLessThan(leaseMs + 1_500)

    expect(results).toEqual([true, false])
    expect(await other.get('ada', context())).toEqual(session)
    expect(readdirSync(folder)).toEqual([`${key}.json`])
  })

  it('is waited for no longer than the signal lets it, and nothing is left aside', async () => {
    const folder = testFolder()
    const store = fileStore(folder)
    lockOfTheDead(folder)
    const startedAt = performance.now()
    const reason = new Error('no longer')
    const signal = AbortSignal.timeout(100)
    const calls = [
      store.put(storedSession(), { signal, replaces: undefined }),
      store.delete('ada', { signal: AbortSignal.abort(reason) }),
      store.delete('ada', { signal }),
    ]
    const outcomes = await Promise.allSettled(calls)

    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
      signal.reason,
      reason,
      signal.reason,
    ])
    expect(readdirSync(folder)).toEqual([`${key}.lock`])
  })

  it('hinders no read, and no other session', async () => {
    const folder = testFolder()
    const store = fileStore(folder)
    const session = storedSession()
    await store.put(session, replacing(null))
    lockOfTheDead(folder)

    expect(await store.get('ada', context())).toEqual(session)
    expect(await store.put(storedSession({ id: 'bob' }), replacing(null))).toBe(true)
  })

  it('is taken at once if it is empty, as a crash in the middle of its release leaves it', async () => {
    const folder = testFolder()
    mkdirSync(join(folder, `${key}.lock`))
    const startedAt = performance.now()

    expect(await fileStore(folder).put(storedSession(), replacing(null))).toBe(true)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

describe('the lock of a file: its holder is alive, but late', () => {
  /** Holds up the first rename to or from the session's file until it is let go. */
  function heldUp(isHeld: (from: string, to: string) => boolean): {
    reached: () => boolean
    letGo: () => void
  } {
    const gate = deferred()
    const { rename } = fs
    let isReached = false
    const spy = vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
      if (!isReached && isHeld(String(from), String(to))) {
        isReached = true
        await gate.promise
      }
      await rename(from, to)
    })
    onTestFinished(() => spy.mockRestore())
    return { reached: () => isReached, letGo: () => gate.resolve() }
  }

  it('cannot write over the one that took the lock from it', async () => {
    const folder = testFolder()
    const [late, other] = [fileStore(folder), fileStore(folder)]
    const first = storedSession()
    await late.put(first, replacing(null))
    const { reached, letGo } = heldUp((_, to) => to.endsWith('.json'))
    const lateWrite = late.put(storedSession({ text: 'late' }), replacing(first.revision))
    await waitUntil(reached)
    const second = storedSession({ text: 'second' })

    expect(await other.put(second, replacing(first.revision))).toBe(true)
    letGo()
    expect(await lateWrite).toBe(false)
    expect(await other.get('ada', context())).toEqual(second)
    expect(readdirSync(folder)).toEqual([`${key}.json`])
  })

  it('cannot delete what was written by the one that took the lock from it', async () => {
    const folder = testFolder()
    const [late, other] = [fileStore(folder), fileStore(folder)]
    const first = storedSession()
    await late.put(first, replacing(null))
    const { reached, letGo } = heldUp((from) => from.endsWith('.json'))
    const lateDeletion = late.delete('ada', { ...context(), replaces: first.revision })
    await waitUntil(reached)
    const second = storedSession({ text: 'second' })

    expect(await other.put(second, replacing(first.revision))).toBe(true)
    letGo()
    await lateDeletion
    expect(await other.get('ada', context())).toEqual(second)
    expect(readdirSync(folder)).toEqual([`${key}.json`])
  })

  it('writes all the same if what it replaces is still there', async () => {
    const folder = testFolder()
    const [late, other] = [fileStore(folder), fileStore(folder)]
    const first = storedSession()
    await late.put(first, replacing(null))
    const { reached, letGo } = heldUp((_, to) => to.endsWith('.json'))
    const second = storedSession({ text: 'second' })
    const lateWrite = late.put(second, replacing(first.revision))
    await waitUntil(reached)

    expect(await other.put(storedSession(), replacing('another'))).toBe(false)
    letGo()
    expect(await lateWrite).toBe(true)
    expect(await other.get('ada', context())).toEqual(second)
  })

  it('does not write after it has settled, when it was aborted while it waited', async () => {
    const folder = testFolder()
    const [holder, waiting] = [fileStore(folder), fileStore(folder)]
    await holder.get('ada', context())
    const { reached, letGo } = heldUp((_, to) => to.endsWith('.json'))
    const session = storedSession()
    const write = holder.put(session, replacing(null))
    await waitUntil(reached)
    const controller = new AbortController()
    const aborted = waiting.put(storedSession(), { signal: controller.signal, replaces: undefined })
    await waitUntil(() => readdirSync(folder).some((name) => name.endsWith('.tmp')))
    controller.abort()
    await expect(aborted).rejects.toBe(controller.signal.reason)
    letGo()

    expect(await write).toBe(true)
    expect(await holder.get('ada', context())).toEqual(session)
    expect(existsSync(join(folder, `${key}.lock`))).toBe(false)
    expect(readdirSync(folder)).toHaveLength(1)
  })
})
