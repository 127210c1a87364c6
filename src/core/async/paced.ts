import { nextLoopIteration } from '../time/clock.ts'

/** Items between two iterations of the event loop: about a millisecond's work. */
const batchSize = 500

/** Yields the items of an iterable, and lets the event loop iterate in between. */
export async function* paced<I>(items: Iterable<I> | AsyncIterable<I>): AsyncGenerator<I, void, undefined> {
  let seen = 0
  for await (const item of items) {
    seen += 1
    if (seen % batchSize === 0) await loopIteration()
    yield item
  }
}

function loopIteration(): Promise<void> {
  return new Promise((resolve) => nextLoopIteration(resolve, { keepsAlive: true }))
}
