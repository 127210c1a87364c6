import { appendFile, readFile } from 'node:fs/promises'
import type { ArchiveSession } from 'session-registry'

/** Returns an `archive` hook that appends a line for each session to a file that all processes share. */
export function appendTo(file: string): ArchiveSession<string[]> {
  return async ({ id, incarnation, value }, reason, { attempt, signal }) => {
    // An earlier attempt may have written, and its process died before Redis knew.
    if (attempt > 1 && (await readFile(file, 'utf8')).includes(incarnation)) return
    signal.throwIfAborted()
    await appendFile(file, `${JSON.stringify({ incarnation, id, reason, value })}\n`)
  }
}
