let isEnabled = true

/**
 * Makes every registry that is constructed from now on take the slow path. Returns a function that switches
 * the fast path on again. For tests: they compare the two paths.
 */
export function disableFastPath(): () => void {
  isEnabled = false
  return () => {
    isEnabled = true
  }
}

export function isFastPathEnabled(): boolean {
  return isEnabled
}
