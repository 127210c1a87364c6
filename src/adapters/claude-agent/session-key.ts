import { toSessionId } from '../../core/ids/to-session-id.ts'
import { checkId, checkObject, invalidOption, ownFields } from '../../core/options/validate.ts'

/** The key of a transcript: `SessionKey` of the Claude Agent SDK. */
export interface AgentSessionKey {
  /** The scope of the session: by default the folder that the agent works in, with `-` for `/`. */
  readonly projectKey: string
  readonly sessionId: string
  /** The subpath of a subagent's transcript, a non-empty string; `undefined` is the main transcript. */
  readonly subpath?: string | undefined
}

/** A key of the SDK, checked: the id of its session, and the transcript in it. */
interface ResolvedKey {
  readonly id: string
  /** Empty for the main transcript. */
  readonly subpath: string
}

/**
 * Returns the session id and the subpath of a key.
 *
 * The id is the JSON of project key and session id: no two pairs have the same, whatever separators they
 * contain.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_ID_INVALID`
 */
export function resolveKey(key: AgentSessionKey): ResolvedKey {
  // Own fields: a polluted prototype must not lead every visitor into one transcript.
  const { projectKey, sessionId, subpath } = ownFields(checkObject('key', key))
  const pair = [checkProjectKey(projectKey), toSessionId(sessionId, '`sessionId`')]
  if (subpath !== undefined && (typeof subpath !== 'string' || subpath === '')) {
    throw invalidOption('key.subpath', 'a non-empty string or undefined', subpath)
  }
  return {
    id: checkId(JSON.stringify(pair), '`projectKey` and `sessionId` together'),
    subpath: subpath ?? '',
  }
}

/**
 * Returns a function that returns the SDK's session id in the id of a session; `undefined` if that is not one
 * of this project.
 *
 * @throws SessionRegistryError `ERR_SESSION_ID_INVALID`
 */
export function sessionIdsOf(projectKey: string): (id: string) => string | undefined {
  const project = checkProjectKey(projectKey)
  const prefix = `[${JSON.stringify(project)},`
  return (id) => {
    if (!id.startsWith(prefix)) return undefined
    const sessionId = parseOrUndefined(id.slice(prefix.length, -1))
    // An id that the application made need not be as `resolveKey` writes it.
    return typeof sessionId === 'string' && JSON.stringify([project, sessionId]) === id
      ? sessionId
      : undefined
  }
}

function checkProjectKey(projectKey: string): string {
  return toSessionId(projectKey, '`projectKey`')
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
