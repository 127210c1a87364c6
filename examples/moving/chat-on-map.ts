import type { AskModel, Chat } from './model.ts'

const timeoutMs = 20 * 60_000

export function chatOnMap(askModel: AskModel): Chat {
  const sessions = new Map<string, { history: string[]; usedAt: number }>()

  setInterval(() => {
    for (const [id, { usedAt }] of sessions) if (Date.now() - usedAt >= timeoutMs) sessions.delete(id)
  }, 60_000).unref()

  return {
    async say(id, message) {
      const session = sessions.get(id) ?? { history: [], usedAt: 0 }
      sessions.set(id, session)
      session.usedAt = Date.now()
      session.history.push(message)
      const reply = await askModel(session.history)
      session.history.push(reply)
      return reply
    },
    history: (id) => sessions.get(id)?.history,
  }
}
