/** Whether a value is an async generator, also one of a function that was compiled for an older target. */
export function isAsyncGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, undefined> {
  if (typeof value !== 'object' || value === null) return false
  try {
    const candidate = value as Partial<Record<'next' | 'return' | 'throw' | 'getReader', unknown>>
    return (
      Symbol.asyncIterator in value &&
      typeof candidate.next === 'function' &&
      typeof candidate.return === 'function' &&
      typeof candidate.throw === 'function' &&
      // A readable stream is an ordinary result, although LangChain's have these methods too.
      typeof candidate.getReader !== 'function'
    )
  } catch {
    // The result of a turn may be anything, even a revoked proxy.
    return false
  }
}
