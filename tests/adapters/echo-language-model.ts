import { MockLanguageModelV4 } from 'ai/test'

type Chunk =
  Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer C> ? C : never

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
}

/** Where the model of these tests waits, by the question that it was asked. */
interface Gates {
  readonly [question: string]: { readonly beforeChunk: number; readonly open: Promise<void> }
}

/** A model for the AI SDK that answers with what it was asked and how many messages it saw. */
export function echoModel(gates: Gates = {}) {
  return new MockLanguageModelV4({
    doStream: async ({ prompt, abortSignal }) => {
      const last = prompt.at(-1)?.content[0]
      const question = typeof last === 'object' && 'text' in last ? last.text : ''
      const gate = gates[question]
      const chunks: Chunk[] = [
        { type: 'stream-start', warnings: [] },
        { type: 'text-start', id: '1' },
        { type: 'text-delta', id: '1', delta: `${question}? ` },
        { type: 'text-delta', id: '1', delta: `I see ${prompt.length}` },
        { type: 'text-end', id: '1' },
        { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
      ]
      let next = 0
      const stream = new ReadableStream<Chunk>({
        pull: async (controller) => {
          if (next === gate?.beforeChunk) await Promise.race([gate.open, aborted(abortSignal)])
          const chunk = chunks[next]
          next += 1
          if (chunk === undefined) controller.close()
          else controller.enqueue(chunk)
        },
      })
      return { stream }
    },
  })
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
}
