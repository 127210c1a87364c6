import { expect, it, onTestFinished } from 'vitest'
import { callAround } from '../../../src/core/watching/around.ts'
import { tracingChannels } from '../../../src/core/watching/channels.ts'
import { Trace } from '../../../src/core/watching/trace.ts'

const channels = tracingChannels.turn

function setUp(onStart: (message: object) => void) {
  const subscriber = (message: unknown) => onStart(message as object)
  channels.start.subscribe(subscriber)
  onTestFinished(() => void channels.start.unsubscribe(subscriber))
  const message = { registry: 'chats', ref: 'abc' }
  return { message, trace: new Trace(channels, message, { callOutside: (action) => action() }) }
}

it('a trace: its function is called by what a subscriber of `start` has put around it, the last innermost', () => {
  const steps: string[] = []
  const { message, trace } = setUp((started) => {
    for (const name of ['outer', 'inner']) {
      callAround(started, (call) => {
        steps.push(`into ${name}`)
        try {
          return call()
        } finally {
          steps.push(`out of ${name}`)
        }
      })
    }
  })

  expect(trace.call(() => steps.push('function') && 'result')).toBe('result')
  expect(steps).toEqual(['into outer', 'into inner', 'function', 'out of inner', 'out of outer'])
  expect(Object.keys(message)).toEqual(['registry', 'ref'])
  expect(JSON.stringify(message)).toBe('{"registry":"chats","ref":"abc"}')
})

it('a trace: the error of its function comes through what is around it', () => {
  const { trace } = setUp((started) => callAround(started, (call) => call()))
  const error = new Error('away')

  expect(() =>
    trace.call(() => {
      throw error
    }),
  ).toThrow(error)
})
