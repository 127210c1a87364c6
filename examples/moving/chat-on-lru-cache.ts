import { LRUCache } from 'lru-cache'
import type { AskModel, Chat } from './model.ts'

export function chatOnLruCache(askModel: AskModel): Chat {
  const sessions = new LRUCache<string, string[]>({
    max: 10_000,
    ttl: 20 * 60_000,
    updateAgeOnGet: true,
    dispose: (history, id, reason) => console.log(`${id} is gone (${reason}), after`, history),
  })
  setInterval(() => sessions.purgeStale(), 60_000).unref()

  return {
    async say(id, message) {
      const history = sessions.get(id) ?? []
      sessions.set(id, history)
      history.push(message)
      const reply = await askModel(history)
      history.push(reply)
      return reply
    },
    history: (id) => sessions.get(id),
  }
}
