import { promisify } from 'node:util'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { registryStore } from 'session-registry/express-session'
import { EventRecorder } from '../support/event-recorder.ts'
import { installFakeGlobals } from '../support/fake-globals.ts'

/** The data of a session as express-session and `@fastify/session` write them. */
export interface Data {
  cookie: { expires?: Date | string | number | false | null; [field: string]: unknown }
  [key: string]: unknown
}

export const minute = 60_000

/** A store with promises instead of callbacks. */
export function makeStore(options: SessionRegistryOptions<Data> = {}) {
  const sessions = new SessionRegistry<Data>(options)
  const store = registryStore(sessions)
  return {
    sessions,
    events: new EventRecorder<Data>(sessions),
    store,
    get: promisify<unknown, Data | null>((id, done) => store.get<Data>(id as string, done as never)),
    set: promisify<unknown, unknown, void>((id, data, done) => store.set(id as string, data as Data, done)),
    touch: promisify<unknown, unknown, void>((id, data, done) =>
      store.touch(id as string, data as Data, done),
    ),
    destroy: promisify<unknown, void>((id, done) => store.destroy(id as string, done)),
  }
}

/** A store on clocks that move together: the date, and that of the registry. */
export function clockedStore(options: SessionRegistryOptions<Data> = {}) {
  return { clock: installFakeGlobals(), ...makeStore(options) }
}

/** The date so many milliseconds from now. */
export const inMs = (ms: number) => new Date(Date.now() + ms)
