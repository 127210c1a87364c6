import process from 'node:process'

/** Returns the CPU time of `fn` in milliseconds, without that of other processes. */
export function cpuMs(fn: () => void): number {
  const before = process.cpuUsage()
  fn()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
