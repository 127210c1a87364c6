// lib/sessions.ts
import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

export interface Message {
  readonly role: 'user' | 'assistant'
  readonly text: string
}

const { SESSIONS_FOLDER = './sessions' } = process.env

// Next.js evaluates this module again after each edit, and once in each of its bundles.
// `shared` returns the one registry of the process every time.
export const sessions = SessionRegistry.shared(
  'my-app:chats',
  () =>
    new SessionRegistry<Message[]>({
      create: () => [],
      store: fileStore(SESSIONS_FOLDER), // a turn that has resolved is on disk
    }),
)
