import { setTimeout as wait } from 'node:timers/promises'

/** Stands for a call of a model: takes a moment, and counts what it was shown. */
export async function askModel(messages: readonly string[]): Promise<string> {
  await wait(10)
  return `I have seen ${messages.length} ${messages.length === 1 ? 'message' : 'messages'}.`
}
