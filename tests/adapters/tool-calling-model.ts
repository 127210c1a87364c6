import { MockLanguageModelV4 } from 'ai/test'

type Chunk =
  Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer C> ? C : never

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
}

const finish = (unified: 'stop' | 'tool-calls'): Chunk => ({
  type: 'finish',
  finishReason: { unified, raw: unified },
  usage,
})

const text = (delta: string): Chunk[] => [
  { type: 'text-start', id: '1' },
  { type: 'text-delta', id: '1', delta },
  { type: 'text-end', id: '1' },
  finish('stop'),
]

/** A model for the AI SDK that calls a tool when it is asked, and says so when it has the result. */
export function calling(toolName: string): MockLanguageModelV4 {
  const call: Chunk[] = [
    { type: 'tool-call', toolCallId: 'call 1', toolName, input: '{}' },
    finish('tool-calls'),
  ]
  return scripted([call, text('I have looked.')])
}

/** A model for the AI SDK that answers this. */
export function answering(answer: string): MockLanguageModelV4 {
  return scripted([text(answer)])
}

function scripted(steps: Chunk[][]): MockLanguageModelV4 {
  let next = 0
  return new MockLanguageModelV4({
    doStream: async () => {
      const chunks: Chunk[] = [{ type: 'stream-start', warnings: [] }, ...(steps[next] ?? [])]
      next += 1
      const stream = new ReadableStream<Chunk>({
        start: (controller) => {
          for (const chunk of chunks) controller.enqueue(chunk)
          controller.close()
        },
      })
      return { stream }
    },
  })
}
