import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

const chats = new SessionRegistry<string[]>({ create: () => [], store: fileStore('./sessions') })

const reply = await chats.run('ada', async ({ value: history }, signal) => {
  history.push('hello')
  // Meanwhile, for up to `maxTurnMs`, Ada's session cannot expire, and her next message waits.
  const answer = await askModel(history, signal)
  history.push(answer)
  return answer
})
// The answer is in the store now: neither a deploy nor a crash loses it.
console.log(reply)

/** In place of your model. */
async function askModel(history: readonly string[], _signal: AbortSignal): Promise<string> {
  return `Message ${(history.length + 1) / 2}: ${history.at(-1)}`
}
