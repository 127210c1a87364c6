/** The turns of a registry at this moment. */
export class TurnCounts {
  /** Asked for, and not begun: they wait for their session, or for the turns before them. */
  waiting = 0
  /** Begun, and neither settled nor aborted. */
  running = 0
}
