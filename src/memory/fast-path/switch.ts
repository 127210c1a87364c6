let isEnabled = true

/** Makes every registry that is constructed from now on take the slow path. For tests: they compare the two paths. */
export function disableFastPath(): void {
  isEnabled = false
}

export function isFastPathEnabled(): boolean {
  return isEnabled
}
