import { Agent, type AgentInputItem } from '@openai/agents'
import { assistantMessage, modelResponder, ScriptedModel } from '@openai/agents/testing'

/** Items as lines such as `user: hello`. */
export function lines(items: readonly AgentInputItem[]): string[] {
  return items.map((item) => {
    if (!('content' in item) || !('role' in item)) return String(item.type)
    const text =
      typeof item.content === 'string'
        ? item.content
        : item.content.map((part) => ('text' in part ? part.text : part.type)).join('')
    return `${item.role}: ${text}`
  })
}

/**
 * An agent whose model answers with what it was asked and how many items it saw, after the gate of that
 * question has opened.
 */
export function echoAgent(gates: Record<string, Promise<void>> = {}) {
  const step = modelResponder(async ({ request }) => {
    const input = typeof request.input === 'string' ? [request.input] : lines(request.input)
    const question = (input.at(-1) ?? '').replace('user: ', '')
    await gates[question]
    return [assistantMessage(`${question}? I see ${input.length}`)]
  })
  const model = new ScriptedModel(Array.from({ length: 8 }, () => step))
  return new Agent({ name: 'echo', model })
}
