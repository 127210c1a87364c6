import { SessionRegistry } from 'session-registry'
import type { AskModel, Chat } from './model.ts'

export function chatOnRegistry(askModel: AskModel): Chat {
  const sessions = new SessionRegistry<string[]>({
    timeoutMs: 20 * 60_000, // the default
    maxSessions: 10_000, // default: no limit
    create: () => [],
  })
  sessions.on('ended', ({ id, value }, reason) => console.log(`${id} is gone (${reason}), after`, value))

  return {
    say: (id, message) =>
      sessions.run(id, async ({ value: history }, signal) => {
        history.push(message)
        const reply = await askModel(history, signal)
        history.push(reply)
        return reply
      }),
    history: (id) => sessions.get(id), // with a `store`: await sessions.open(id, { create: false })
  }
}
