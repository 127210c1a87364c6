import { setTimeout as wait } from 'node:timers/promises'
import { isSessionRegistryError, SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<string[]>({ create: () => [] })

/** Returns the status of the response. */
async function say(id: string, text: string): Promise<number> {
  try {
    await sessions.run(id, ({ value }) => wait(50, value.push(text)), { whenBusy: 'reject' })
    return 200
  } catch (error) {
    if (isSessionRegistryError(error, 'ERR_SESSION_BUSY')) console.log('one message at a time, please')
    if (isSessionRegistryError(error)) return error.statusCode
    throw error // an error of your own code, unchanged
  }
}

console.log(await Promise.all([say('ada', 'hello'), say('ada', 'are you there?'), say('', 'no id')]))
