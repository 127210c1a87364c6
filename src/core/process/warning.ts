import process from 'node:process'

/** Emits a warning of the process, where the host has them. */
export function emitWarning(message: string): void {
  try {
    process.emitWarning(message, { type: 'SessionRegistryWarning' })
  } catch {
    // A host without warnings, or one that makes an error of them.
  }
}
