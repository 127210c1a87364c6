/** The number of turns of a registry, now. */
export class TurnCounts {
  /** Called, and not begun: they wait for their session, or for the turns before them. */
  waiting = 0
  /** Begun, and neither settled nor aborted. */
  running = 0
}
