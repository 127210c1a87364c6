import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

const chats = new SessionRegistry<string[]>({ create: () => [], store: fileStore('./sessions') })

const reply = await chats.run('ada', async ({ value: history }, signal) => {
  history.push('hello')
  const answer = await askModel(history, signal) // Ada's session cannot expire now; her next message waits
  history.push(answer)
  return answer
}) // in the store when this resolves: neither a deploy nor a crash loses an answer

console.log(reply)

async function askModel(history: readonly string[], _signal: AbortSignal): Promise<string> {
  return `Message ${(history.length + 1) / 2}: ${history.at(-1)}` // ask yours here
}
