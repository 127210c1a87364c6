import { isSessionRegistryError, SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<string[]>({
  create: () => [],
  maxPerOwner: 10,
  tombstoneMs: 24 * 60 * 60_000,
})

/** What a request handler does with the visitor that it has authenticated, and the id that was sent. */
async function say(visitor: string, id: string, text: string): Promise<string> {
  try {
    const count = await sessions.run(id, ({ value }) => value.push(text), { owner: visitor })
    return `${count} messages`
  } catch (error) {
    if (isSessionRegistryError(error, 'ERR_SESSION_NOT_OWNER')) return 'there is no such session'
    throw error
  }
}

console.log(await say('ada', 'trip to Rome', 'hello'))
console.log(await say('bob', 'trip to Rome', 'what did she say?'))
console.log([...sessions.ownedBy('ada')].map(({ id }) => id))
console.log(await sessions.forgetOwner('ada'), 'forgotten')
console.log(sessions.whyGone('trip to Rome', { owner: 'ada' })?.reason)
