import { AIMessage, type BaseMessage } from '@langchain/core/messages'
import { RunnableLambda } from '@langchain/core/runnables'
import { deferred } from './deferred.ts'

interface GatedCall {
  readonly said: string
  readonly seen: number
  readonly signal: AbortSignal | undefined
  answer(): void
  fail(error: unknown): void
}

/** A model that responds `re:…` when the test releases it, and records its calls. */
export class GatedModel {
  readonly calls: GatedCall[] = []
  readonly runnable = RunnableLambda.from<BaseMessage[], BaseMessage>(async (messages, config) => {
    const said = String(messages.at(-1)?.content)
    const gate = deferred()
    this.calls.push({
      said,
      seen: messages.length,
      signal: config?.signal,
      answer: () => gate.resolve(),
      fail: gate.reject,
    })
    await gate.promise
    return new AIMessage(`re:${said}`)
  })

  call(said: string): GatedCall {
    const call = this.calls.find((one) => one.said === said)
    if (call === undefined) throw new Error(`The model was not asked ${said}`)
    return call
  }
}
