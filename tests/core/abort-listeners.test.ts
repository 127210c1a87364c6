import { describe, expect, it, vi } from 'vitest'
import { abortReason, onAbort } from '../../src/core/async/abort-listeners.ts'

describe('onAbort', () => {
  it('calls every callback once, in order, through one listener on the signal', () => {
    const controller = new AbortController()
    const added = vi.spyOn(controller.signal, 'addEventListener')
    const calls: number[] = []
    for (let index = 0; index < 20; index += 1) onAbort(controller.signal, () => calls.push(index))
    controller.abort()
    controller.abort()

    expect(calls).toEqual(Array.from({ length: 20 }, (_, index) => index))
    expect(added).toHaveBeenCalledTimes(1)
  })

  it('calls back immediately if the signal has already aborted', () => {
    const callback = vi.fn()
    onAbort(AbortSignal.abort(), callback)()

    expect(callback).toHaveBeenCalledTimes(1)
  })

  it('removes a callback, and the listener with the last one', () => {
    const controller = new AbortController()
    const removed = vi.spyOn(controller.signal, 'removeEventListener')
    const callback = vi.fn()
    const takeBack = [onAbort(controller.signal, callback), onAbort(controller.signal, callback)]
    takeBack[0]?.()
    takeBack[0]?.()
    expect(removed).not.toHaveBeenCalled()
    takeBack[1]?.()
    expect(removed).toHaveBeenCalledTimes(1)
    controller.abort()

    expect(callback).not.toHaveBeenCalled()
  })

  it('adds a new listener after the last callback was removed', () => {
    const controller = new AbortController()
    onAbort(controller.signal, () => {})()
    const callback = vi.fn()
    onAbort(controller.signal, callback)
    controller.abort()

    expect(callback).toHaveBeenCalledTimes(1)
  })

  it('does not call a callback that an earlier one removed', () => {
    const controller = new AbortController()
    const second = vi.fn()
    onAbort(controller.signal, () => takeBack())
    const takeBack = onAbort(controller.signal, second)
    controller.abort()

    expect(second).not.toHaveBeenCalled()
  })
})

describe('abortReason', () => {
  it("returns the signal's reason, of whatever type", () => {
    expect(abortReason(AbortSignal.abort('stop'))).toBe('stop')
    expect(abortReason(AbortSignal.abort(null))).toBeNull()
  })

  it('returns an `AbortError` if a polyfill sets no reason', () => {
    const signal = { aborted: true } as AbortSignal

    expect(abortReason(signal)).toMatchObject({ name: 'AbortError' })
  })
})
