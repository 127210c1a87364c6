import type { SessionTraces } from '../../core/watching/channels.ts'

/**
 * Whether a turn counts in the durations and waits of turns: one that excludes others. A nested run is part
 * of such a turn, and a run that joins, as the reads of adapters do, waits for nothing: both would hide the
 * turns that a visitor waits for.
 */
export function isTimed({ nested, whenBusy }: SessionTraces['turn']): boolean {
  return nested === undefined && whenBusy !== 'join'
}
