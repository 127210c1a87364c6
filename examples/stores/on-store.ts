import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

export function openOnStore(): SessionRegistry<string[]> {
  return new SessionRegistry<string[]>({ create: () => [], store: fileStore('./sessions') })
}
