/**
 * Releases a value by its own `Symbol.asyncDispose` or `Symbol.dispose`; one that has neither holds nothing.
 */
export function disposeOwn(value: unknown): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  const disposable = value as Partial<AsyncDisposable & Disposable>
  if (typeof disposable[Symbol.asyncDispose] === 'function') return disposable[Symbol.asyncDispose]?.()
  if (typeof disposable[Symbol.dispose] === 'function') return disposable[Symbol.dispose]?.()
  return undefined
}
