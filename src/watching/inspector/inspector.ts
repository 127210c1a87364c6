import { checkBoolean, checkFunction, checkOptions } from '../../core/options/validate.ts'
import { systemClock } from '../../core/time/clock.ts'
import { originOf } from '../../core/watching/origin.ts'
import { ActivityLog } from './activity-log.ts'
import { codesOf } from './error-codes.ts'
import { checkRegistries, type InspectableRegistry } from './inspectable-registry.ts'
import { jsonResponse, pageResponse, refusal } from './responses.ts'
import { isSameOrigin } from './same-origin.ts'
import { WatchedRegistry } from './watched-registry.ts'

/** Options of {@link inspector}. */
export interface InspectorOptions {
  /**
   * Checks who asks, for every request. Anything but `true`, or a promise of it, is a refusal, and so is an
   * error: it is answered with 403.
   */
  readonly authorize: (request: Request) => boolean | PromiseLike<boolean>
  /**
   * Whether the page can end sessions, as `delete` does: nothing is archived, and what a store has of the
   * session is deleted. Default `false`.
   */
  readonly endSessions?: boolean | undefined
}

/** The handler of the page. It answers every request, and never rejects. */
export interface Inspector {
  (request: Request): Promise<Response>
  /**
   * Ends the subscriptions to the channels. The page goes on to show what the registries report, but no
   * further ends and failures.
   */
  close(): void
}

/**
 * Returns a handler that serves one live page on registries: counts and rates, the sessions that have been
 * idle for longest, which are in use, since when, and how many calls wait for them, archives and saves that
 * fail, and the last ends. Reading the page is no activity.
 *
 * Sessions appear by their `ref`, and errors by their codes: no id, no owner, no value and no message leaves
 * the process. Mount it under any path, for GET and POST. It works with both registries, and while Redis does
 * not reply.
 *
 * It counts ends and failures from now on, by subscriptions to diagnostics channels that last until
 * {@link Inspector.close}.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const inspect = inspector([sessions], { authorize: (request) => isAdmin(request) })
 * createServer(nodeHandler(inspect)).listen(9090, '127.0.0.1')
 */
export function inspector(
  registries: InspectableRegistry | readonly InspectableRegistry[],
  options: InspectorOptions,
): Inspector {
  const checked = checkRegistries(registries)
  const given = checkOptions('options', options, ['authorize', 'endSessions'])
  const authorize = checkFunction('authorize', given.authorize as InspectorOptions['authorize'])
  const endSessions = checkBoolean('endSessions', given.endSessions ?? false)
  const log = new ActivityLog()
  const watched = checked.map((registry) => {
    const origin = originOf(registry)
    return new WatchedRegistry(registry, origin?.name ?? 'sessions', log.record(origin))
  })
  const page = new InspectorPage(watched, endSessions)
  const handler = async (request: Request): Promise<Response> => {
    if (!(await isAuthorized(authorize, request))) return refusal(403)
    return page.respond(request)
  }
  return Object.assign(handler, { close: () => log.stop() })
}

async function isAuthorized(authorize: InspectorOptions['authorize'], request: Request): Promise<boolean> {
  try {
    return (await authorize(request)) === true
  } catch {
    return false
  }
}

/** What an authorized request gets. All is at one address, so that it can be mounted under any path. */
class InspectorPage {
  readonly #registries: readonly WatchedRegistry[]
  readonly #endSessions: boolean
  readonly #startedAt = systemClock.now()

  constructor(registries: readonly WatchedRegistry[], endSessions: boolean) {
    this.#registries = registries
    this.#endSessions = endSessions
  }

  async respond(request: Request): Promise<Response> {
    const { method, url } = request
    const query = new URL(url).searchParams
    if (method === 'GET' || method === 'HEAD') {
      const snapshot = await this.#snapshot()
      return query.has('snapshot') ? jsonResponse(snapshot) : pageResponse(snapshot)
    }
    if (method !== 'POST') return refusal(405, { allow: 'GET, HEAD, POST' })
    if (!this.#endSessions || !isSameOrigin(request)) return refusal(403)
    return this.#end(this.#registries[Number(query.get('registry') ?? 'none')], query.get('end'))
  }

  async #snapshot(): Promise<object> {
    const registries = await Promise.all(this.#registries.map((one) => one.snapshot()))
    return { sinceMs: systemClock.now() - this.#startedAt, endSessions: this.#endSessions, registries }
  }

  async #end(registry: WatchedRegistry | undefined, ref: string | null): Promise<Response> {
    if (registry === undefined || ref === null) return refusal(400)
    try {
      const hasEnded = await registry.end(ref)
      return jsonResponse({ ended: hasEnded }, hasEnded ? 200 : 404)
    } catch (error) {
      return jsonResponse({ ended: false, problem: codesOf(error) }, 503)
    }
  }
}
