import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { TurnReadable } from '../../src/adapters/langchain/turn-readable.ts'
import { deferred } from '../support/deferred.ts'

// Node warns of a leak from the eleventh listener on.
it('streams on one signal: share one listener, removed with the last of them', async () => {
  const { signal } = new AbortController()
  const ends = Array.from({ length: 15 }, () => deferred())
  const streams = ends.map((end) => {
    const stream = new TurnReadable<string>(signal)
    stream.start(() => end.promise)
    return stream.readable
  })
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  for (const end of ends) end.resolve()
  for (const stream of streams) for await (const _chunk of stream);

  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
