import { Level } from 'level'
import type { ArchiveSession, LoadSession } from 'session-registry'
import type { Message } from './message.ts'

export interface DiskArchive {
  readonly archive: ArchiveSession<Message[]>
  readonly load: LoadSession<Message[]>
  close(): Promise<void>
}

/**
 * Opens an archive of histories on disk, in `level`: an embedded, maintained store that comes prebuilt for
 * every platform and runs on Node 20 (Node's own `node:sqlite` needs a newer one). A `put` is atomic: a crash
 * leaves the old history or the new one.
 */
export async function openDiskArchive(folder: string): Promise<DiskArchive> {
  const db = new Level<string, Message[]>(folder, { valueEncoding: 'json' })
  await db.open()
  return {
    archive: async (session, _reason, { signal }) => {
      signal.throwIfAborted()
      // `sync`: on the disk, and not only in the system's buffers, before the registry ends the session.
      await db.put(session.id, session.value, { sync: true })
    },
    load: (id) => db.get(id),
    close: () => db.close(),
  }
}
