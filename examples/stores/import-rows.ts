import { randomUUID } from 'node:crypto'
import type { SessionStore } from 'session-registry'

/** A row as your `archive` hook may have written it. */
export interface Row {
  readonly id: string
  readonly value: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Writes rows into a store, and returns how many. It may be repeated: it skips what the store has. */
export async function importRows(
  rows: Iterable<Row> | AsyncIterable<Row>,
  store: SessionStore,
): Promise<number> {
  let imported = 0
  for await (const { id, value, createdAt, updatedAt } of rows) {
    const session = {
      id,
      text: value, // what the `codec` of the registry decodes: JSON by default
      revision: randomUUID(),
      createdAt: createdAt.getTime(), // `maxAgeMs` counts from here
      lastActiveAt: updatedAt.getTime(), // `keepMs` counts from here
    }
    // `replaces: null`: written only if the store has no session of this id.
    if (await store.put(session, { signal: AbortSignal.timeout(30_000), replaces: null })) imported += 1
  }
  return imported
}
