/**
 * Whether a value is what an async generator function returns; also one that was compiled for an older
 * target.
 */
export function isAsyncGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, undefined> {
  if (typeof value !== 'object' || value === null) return false
  try {
    const candidate = value as Partial<Record<'next' | 'return' | 'throw' | 'getReader', unknown>>
    return (
      Symbol.asyncIterator in value &&
      typeof candidate.next === 'function' &&
      typeof candidate.return === 'function' &&
      typeof candidate.throw === 'function' &&
      // A stream that can be iterated is a result like any other, though LangChain's have these methods, too.
      typeof candidate.getReader !== 'function'
    )
  } catch {
    // The result of a turn may be anything, a revoked proxy for one.
    return false
  }
}
