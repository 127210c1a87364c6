import { setTimeout as wait } from 'node:timers/promises'
import { SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<string[]>({ create: () => [] })

function chat(id: string, message: string): Promise<string> {
  return sessions.run(id, async (session, signal) => {
    session.value.push(message)
    const reply = await askModel(session.value, signal) // may take long; the session does not expire meanwhile
    session.value.push(reply)
    return reply
  })
}

// Two messages at once: the second turn waits for the first, and sees its answer.
await Promise.all([chat('ada', 'hello'), chat('ada', 'and again')])
console.log(sessions.get('ada'))

{
  using _hold = sessions.hold('ada') // kept until the end of the block
  await wait(10)
}

async function askModel(history: readonly string[], signal: AbortSignal): Promise<string> {
  await wait(20, undefined, { signal })
  return `answer to "${history.at(-1)}"`
}
