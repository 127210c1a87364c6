import type { InspectableRegistry, InspectorOptions } from 'session-registry/inspector'
import { inspector } from 'session-registry/inspector'
import { onTestFinished } from 'vitest'

/** A session of a snapshot. */
interface SnapshotSession {
  readonly ref: string
  readonly state: string
  readonly ageMs: number
  readonly idleMs: number
  readonly running?: { readonly sinceMs: number; readonly whenBusy: string }
  readonly waiting: number
  readonly holds: number
  readonly heldMs?: number
  readonly attempts?: number
}

/** What the page polls. */
interface Snapshot {
  readonly sinceMs: number
  readonly endSessions: boolean
  readonly registries: readonly {
    readonly name: string
    readonly isShared: boolean
    readonly problem?: string
    readonly health?: { readonly ready: boolean; readonly why?: string }
    readonly stats?: { readonly size: number; readonly held: number; readonly created: number }
    readonly busy: readonly SnapshotSession[]
    readonly idle: readonly SnapshotSession[]
    readonly endsByReason: Readonly<Record<string, number>>
    readonly failureCounts: { readonly archive: number; readonly save: number; readonly error: number }
    readonly lastEnds: readonly { readonly ref: string; readonly reason: string; readonly agoMs: number }[]
    readonly lastFailures: readonly {
      readonly what: string
      readonly code: string
      readonly ref?: string
      readonly attempt?: number
      readonly event?: string
    }[]
  }[]
}

export const pageUrl = 'http://inspector.test/admin/sessions'

/** An inspector that is closed when the test has finished, with what it takes to ask it. */
export function inspectorOf(
  registries: InspectableRegistry | readonly InspectableRegistry[],
  options: Partial<InspectorOptions> = {},
) {
  const handler = inspector(registries, { authorize: () => true, ...options })
  onTestFinished(() => handler.close())
  const get = (query = '', headers: Readonly<Record<string, string>> = {}) =>
    handler(new Request(pageUrl + query, { headers }))
  const snapshot = async () => (await (await get('?snapshot')).json()) as Snapshot
  return {
    handler,
    get,
    snapshot,
    /** The snapshot of the first registry. */
    first: async () => {
      const [first] = (await snapshot()).registries
      if (first === undefined) throw new Error('there is no registry')
      return first
    },
    end: (
      ref: string,
      headers: Readonly<Record<string, string>> = { 'sec-fetch-site': 'same-origin' },
      registry = '0',
    ) =>
      handler(
        new Request(`${pageUrl}?end=${encodeURIComponent(ref)}&registry=${registry}`, {
          method: 'POST',
          headers,
        }),
      ),
  }
}
