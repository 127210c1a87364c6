import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import { RegistryEmitter } from '../../../src/core/events/listener-tracker.ts'
import { requireSteps, type Step } from '../../../src/core/events/step.ts'
import { quietStep } from '../../support/quiet-step.ts'

function newStep() {
  const emitter = new RegistryEmitter<{ told: [string]; error: [unknown] }>()
  const pending: boolean[] = []
  const step = quietStep(emitter, (isPending) => pending.push(isPending))
  const seen: string[] = []
  emitter.on('told', (what) => seen.push(what))
  const tell = (what: string) => step.events.enqueue('told', [what])
  return { emitter, step, seen, pending, tell }
}

describe('a step', () => {
  it('nested: emits its events in order, when the outermost one ends', () => {
    const { step, seen, tell } = newStep()
    step.run(() => {
      step.run(() => tell('inner'))
      tell('outer')
      expect(seen).toEqual([])
    })

    expect(seen).toEqual(['inner', 'outer'])
  })

  it('ended by a throw: emits its events, and throws', () => {
    const { step, seen, tell } = newStep()
    const change = () => {
      tell('before')
      throw new Error('the change failed')
    }

    expect(() => step.run(change)).toThrow('the change failed')
    expect(seen).toEqual(['before'])
  })

  it('runs deferred code among the events, then the follower, then continuations', () => {
    const { step, seen, tell } = newStep()
    step.follow(() => seen.push('follower'))
    step.run(() => {
      step.after((what) => seen.push(what), 'continuation')
      tell('first')
      step.events.defer(() => seen.push('deferred'))
      tell('second')
      step.markChanged()
      step.markChanged()
    })

    expect(seen).toEqual(['first', 'deferred', 'second', 'follower', 'continuation'])
  })

  it('without a change that is marked: calls no follower', () => {
    const { step, seen, tell } = newStep()
    step.follow(() => seen.push('follower'))
    step.run(() => tell('event'))

    expect(seen).toEqual(['event'])
  })

  it('calls the follower again, until nothing is pending', () => {
    const { step, seen, tell } = newStep()
    let left = 2
    step.follow(() => {
      if (left === 0) return
      left -= 1
      tell(`follower ${left}`)
      step.markChanged()
    })
    step.run(() => step.markChanged())

    expect(seen).toEqual(['follower 1', 'follower 0'])
  })

  it('calls a follower neither twice for one change, nor once it follows no more', () => {
    const { step, seen } = newStep()
    const follower = () => seen.push('follower')
    step.follow(follower)
    step.follow(follower)
    step.run(() => step.markChanged())
    step.unfollow(follower)
    step.run(() => step.markChanged())

    expect(seen).toEqual(['follower'])
  })

  it('contains a follower that throws, and emits its error', () => {
    const { emitter, step, seen } = newStep()
    emitter.on('error', (error) => seen.push(String(error)))
    step.follow(() => {
      throw new Error('the follower failed')
    })

    const change = () => {
      step.markChanged()
      return 'result'
    }

    expect(step.run(change)).toBe('result')
    expect(seen).toEqual(['Error: the follower failed'])
  })

  it('of a listener: its events wait in the queue, its continuation runs at once', () => {
    const { emitter, step, seen, tell } = newStep()
    emitter.once('told', () => {
      step.run(() => {
        tell('nested')
        step.after((what) => seen.push(what), 'continuation of the listener')
      })
      seen.push('listener done')
    })
    step.run(() => {
      step.after((what) => seen.push(what), 'continuation')
      tell('first')
      tell('second')
    })

    expect(seen).toEqual([
      'first',
      'continuation of the listener',
      'listener done',
      'second',
      'nested',
      'continuation',
    ])
  })

  it('of a continuation: emits its events before the continuation goes on', () => {
    const { step, seen, tell } = newStep()
    const resume = () => {
      step.run(() => tell('of the continuation'))
      seen.push('continuation done')
    }
    step.run(() => step.after(resume, undefined))

    expect(seen).toEqual(['of the continuation', 'continuation done'])
  })

  it('calls all continuations also if one throws, and throws its error', () => {
    const { step, seen } = newStep()
    const resume = (what: string) => {
      seen.push(what)
      if (what === 'first') throw new Error('the first failed')
    }
    const change = () => {
      step.after(resume, 'first')
      step.after(resume, 'second')
    }

    expect(() => step.run(change)).toThrow('the first failed')
    expect(seen).toEqual(['first', 'second'])
  })

  it('that is not open: resumes at once', () => {
    const { step, seen } = newStep()
    step.after((what) => seen.push(what), 'at once')

    expect(seen).toEqual(['at once'])
  })

  it('flags the queue once, until it has been emptied', () => {
    const { step, pending, tell } = newStep()
    step.run(() => {
      tell('first')
      tell('second')
      expect(pending).toEqual([true])
    })

    expect(pending).toEqual([true, false])
  })

  it('in the background or in a context: emits its events there', () => {
    const storage = new AsyncLocalStorage<string>()
    const { emitter, step, tell } = newStep()
    const contexts: unknown[] = []
    emitter.on('told', () => contexts.push(storage.getStore()))
    storage.run('caller', () => {
      step.run(() => {
        tell('of the caller')
        step.runInBackground(() => tell('of the registry'))
      })
    })

    expect(contexts).toEqual(['caller', undefined])
  })
})

describe('what belongs into a step', () => {
  const outside: [name: string, change: (step: Step) => void][] = [
    ['an event', (step) => step.events.enqueue('told', ['lost'])],
    ['deferred code', (step) => step.events.defer(() => {})],
    ['a marked change', (step) => step.markChanged()],
    ['a transition', (step) => step.assertOpen()],
  ]

  it.each(outside)('%s: throws in tests, where no step is open', (_name, change) => {
    const { step } = newStep()

    expect(() => change(step)).toThrow('to be made in a step')
  })

  it('elsewhere: is followed up in a microtask', async () => {
    const { step, seen, tell } = newStep()
    const follower = vi.fn()
    step.follow(follower)
    const restore = requireSteps(false)
    try {
      tell('late')
      step.markChanged()
    } finally {
      restore()
    }
    expect(seen).toEqual([])
    await Promise.resolve()

    expect(seen).toEqual(['late'])
    expect(follower).toHaveBeenCalledTimes(1)
  })

  it('a reported failure is a step of its own', () => {
    const { emitter, step } = newStep()
    const errors: unknown[] = []
    emitter.on('error', (error) => errors.push(error))
    step.events.reportError('failure', 'the clock failed')

    expect(errors).toEqual(['failure'])
  })
})
