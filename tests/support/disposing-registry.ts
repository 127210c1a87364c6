import type { SessionRegistryOptions } from 'session-registry'
import { type ClockedRegistry, clockedRegistry } from './clocked-registry.ts'
import { type DisposeCall, FakeDispose } from './fake-dispose.ts'

export interface DisposingRegistry extends ClockedRegistry {
  readonly disposer: FakeDispose
  /** The `error` events. */
  readonly errors: unknown[]
  /** Disposals and events, in their order: `dispose a idle`, `ended a idle`. */
  readonly lines: string[]
}

/**
 * Returns a registry of message lists whose values are disposed of, on a clock that the test moves. In the
 * lines a value shows by its first message.
 */
export function disposingRegistry(
  options: SessionRegistryOptions<string[]> & { readonly mode?: FakeDispose['mode'] } = {},
): DisposingRegistry {
  const { mode, ...rest } = options
  const disposer = new FakeDispose(mode)
  const clocked = clockedRegistry({
    create: (id) => [id],
    dispose: disposer.dispose,
    timeoutMs: 1_000,
    intervalMs: 1_000_000,
    ...rest,
  })
  const errors: unknown[] = []
  const lines: string[] = []
  const { registry } = clocked
  disposer.onCall = ({ value, reason, archived }: DisposeCall) =>
    lines.push(`dispose ${value[0]} ${reason}${archived ? ' archived' : ''}`)
  registry.on('created', ({ id }) => lines.push(`created ${id}`))
  registry.on('expired', ({ id }, reason) => lines.push(`expired ${id} ${reason}`))
  registry.on('ended', ({ id }, reason) => lines.push(`ended ${id} ${reason}`))
  registry.on('error', (error) => errors.push(error))
  return { ...clocked, disposer, errors, lines }
}
