/** A `generate` of express-session: gives a request a new session. */
export type Generate = (request: object) => void

/** A session of express-session. */
interface ExpressSession {
  readonly cookie: object
}

/**
 * The classes of express-session, taken from a session that it makes: the package does not import it.
 *
 * Its constructor of cookies cannot be found in this way, since its prototype has no `constructor`.
 */
export interface ExpressClasses {
  readonly Session: new (request: object, data: object) => ExpressSession
  readonly cookiePrototype: object
}

/** Returns a new session for a request, which stays as it is. */
export function generateBlank(generate: Generate, request: object): ExpressSession {
  const blank: { headers?: object; session?: ExpressSession } = Object.create(request)
  // `load` has no request, and `generate` looks at the headers behind a trusted proxy.
  if (!('headers' in request)) blank.headers = {}
  generate(blank)
  return blank.session as ExpressSession
}

/** Returns the classes of express-session. It calls the application's `genid` once. */
export function classesOf(generate: Generate, request: object): ExpressClasses {
  const session = generateBlank(generate, request)
  return {
    Session: session.constructor as ExpressClasses['Session'],
    cookiePrototype: Object.getPrototypeOf(session.cookie),
  }
}

/** Returns the cookie of stored data, as the constructor of express-session's cookies makes it. */
export function restoreCookie({ cookiePrototype }: ExpressClasses, stored: object): object {
  const cookie = Object.create(cookiePrototype)
  Object.assign(cookie, { path: '/', maxAge: null, httpOnly: true })
  const { expires, originalMaxAge } = stored as { expires?: unknown; originalMaxAge?: unknown }
  for (const [key, field] of Object.entries(stored)) {
    if (key !== 'data' && key !== '__proto__') cookie[key] = field
  }
  if (typeof expires === 'string') cookie.expires = new Date(expires)
  // Last, because a change of `expires` sets it to what is left.
  cookie.originalMaxAge = originalMaxAge
  return cookie
}
