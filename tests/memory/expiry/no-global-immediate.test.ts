import { expect, it, vi } from 'vitest'

// Jest's jsdom environment has no `setImmediate`: a long sweep stopped after its first slice.
it('background sweep: completes without a global setImmediate', async () => {
  vi.resetModules()
  const { setImmediate } = globalThis
  Reflect.deleteProperty(globalThis, 'setImmediate')
  try {
    const { SessionRegistry } = await import('../../../src/index.ts')
    const registry = new SessionRegistry<number>({ timeoutMs: 50, intervalMs: 500 })
    for (let index = 0; index < 4; index += 1) registry.set(String(index), index)
    registry.on('ended', () => {
      // Each takes longer than a slice, so the sweep yields after every session.
      let now = performance.now()
      for (const until = now + 5; now < until; ) now = performance.now()
    })
    const [summary] = await new Promise<unknown[]>((resolve) => {
      registry.on('swept', (...args) => resolve(args))
    })

    expect(summary).toMatchObject({ expired: 4, remaining: 0 })
  } finally {
    globalThis.setImmediate = setImmediate
  }
})
