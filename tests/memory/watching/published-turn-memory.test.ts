import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ChannelRecorder } from '../../support/channel-recorder.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { collectGarbage } from '../../support/collect-garbage.ts'
import { settle } from '../../support/settle.ts'

/** Returns an error with all of its stack, as in programs that set `Error.stackTraceLimit`. */
function deepError(): Error {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 100
  const error = new Error('the model is overloaded')
  Error.stackTraceLimit = stackTraceLimit
  return error
}

describe('a settled turn that was published', () => {
  it.each([
    ['a snapshot', () => AsyncLocalStorage.snapshot()],
    ['an error', deepError],
  ])('its value and result are not kept by its messages, nor by %s made in it', async (_, make) => {
    const storage = new AsyncLocalStorage<unknown>()
    const start = channel('tracing:session-registry:turn:start')
    start.bindStore(storage, (message) => message)
    onTestFinished(() => {
      start.unbindStore(storage)
    })
    const recorder = new ChannelRecorder('watched', ['turn', 'created', 'ended'])
    const kept: unknown[] = []
    const references = new Map<string, WeakRef<object>>()
    const run = async () => {
      const { registry } = clockedRegistry({ name: 'watched' })
      await registry.run('ada', async ({ value }) => {
        const result = { answer: 'x' }
        references.set('value', new WeakRef(value)).set('result', new WeakRef(result))
        kept.push(make(), storage.getStore())
        await settle()
        return result
      })
      registry.delete('ada')
    }
    await run()
    await collectGarbage()

    const left = [...references].filter(([, reference]) => reference.deref() !== undefined)
    expect(left.map(([name]) => name)).toEqual([])
    expect(references.size).toBe(2)
    expect(kept[1]).toBe(recorder.of('turn:start')[0])
  })
})
