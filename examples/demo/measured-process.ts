import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Measurement } from './measured-server.ts'

/** A server of the demo in a process of its own, so that its heap is its own as well. */
export interface MeasuredProcess {
  readonly address: string
  measure(): Promise<Measurement>
  stop(): Promise<void>
}

export async function startMeasured(kind: 'map' | 'registry', timeoutMs: number): Promise<MeasuredProcess> {
  const server = fileURLToPath(new URL('measured-server.ts', import.meta.url))
  const child = fork(server, [kind, String(timeoutMs)], { execArgv: ['--import', 'tsx', '--expose-gc'] })
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
