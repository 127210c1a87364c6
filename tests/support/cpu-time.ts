import process from 'node:process'

/** How long the processor is busy with `fn`, in milliseconds: other processes on the machine do not count. */
export function cpuMs(fn: () => void): number {
  const before = process.cpuUsage()
  fn()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
