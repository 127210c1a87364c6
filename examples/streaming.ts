import { setTimeout as wait } from 'node:timers/promises'
import { SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<string[]>({ create: () => [] })

function chat(id: string, message: string) {
  return sessions.stream(id, async function* (session, signal) {
    session.value.push(message)
    let reply = ''
    try {
      for await (const part of askModel(signal)) {
        reply += part
        yield part
      }
    } finally {
      session.value.push(reply) // only a part of it if Ada leaves
    }
  })
}

for await (const part of chat('ada', 'hello')) console.log(part)
for await (const part of chat('ada', 'tell me more')) {
  console.log(part, '… and Ada leaves')
  break
}
console.log(sessions.get('ada'))

async function* askModel(signal: AbortSignal) {
  for (const part of ['Good', ' morning', ' Ada']) {
    await wait(10, undefined, { signal })
    yield part
  }
}
