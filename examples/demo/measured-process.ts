import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Kind, Measurement } from './measured-server.ts'

/**
 * A server of the demo in a process of its own, so that its memory and its CPU time can be measured.
 */
export interface MeasuredProcess {
  readonly address: string
  measure(): Promise<Measurement>
  stop(): Promise<void>
}

export async function startMeasured(
  kind: Kind,
  { timeoutMs, lookUpMs }: { readonly timeoutMs: number; readonly lookUpMs: number },
): Promise<MeasuredProcess> {
  const server = fileURLToPath(new URL('measured-server.ts', import.meta.url))
  const options = JSON.stringify({ kind, timeoutMs, lookUpMs })
  const child = fork(server, [options], { execArgv: ['--import', 'tsx', '--expose-gc'] })
  const [{ address }] = (await once(child, 'message')) as [{ address: string }]
  return {
    address,
    measure: async () => {
      child.send('measure')
      const [measurement] = (await once(child, 'message')) as [Measurement]
      return measurement
    },
    stop: async () => {
      child.kill('SIGTERM')
      const [exitCode] = await once(child, 'exit')
      if (exitCode !== 0) throw new Error(`the server exited with ${exitCode}`)
    },
  }
}
