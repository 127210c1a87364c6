import process from 'node:process'
import { onTestFinished } from 'vitest'

/** Collects the warnings of the library until the test has finished. */
export function recordWarnings(): string[] {
  const warnings: string[] = []
  const onWarning = (warning: Error) => {
    if (warning.name === 'SessionRegistryWarning') warnings.push(warning.message)
  }
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  return warnings
}
