import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { SessionRegistry } from 'session-registry'
import { messageHistories, withSessionTurns } from 'session-registry/langchain'
import { expect, it } from 'vitest'
import fc from '../support/fast-check.ts'
import { readAll } from '../support/read-all.ts'
import { transcript } from '../support/transcript.ts'

const session = fc.constantFrom('ada', 'bob')
const way = fc.constantFrom('invoke', 'stream', 'left', 'unread', 'failing')
const loops = fc.nat({ max: 3 })

/** Lets the event loop go round so many times: what a model's thinking is to the calls beside it. */
async function think(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await new Promise((resolve) => setImmediate(resolve))
}

it('overlapping calls: leave whole turns in the order of the calls', async () => {
  const calls = fc.array(fc.record({ session, way, before: loops, within: loops }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(calls, async (given) => {
      const registry = new SessionRegistry<BaseMessage[]>({ create: () => [] })
      const model = RunnableLambda.from<BaseMessage[], BaseMessage>(async (messages) => {
        const said = String(messages.at(-1)?.content)
        const call = given[Number(said)]
        await think(call?.within ?? 0)
        if (call?.way === 'failing') throw new Error('no')
        return new AIMessage(`re:${said}`)
      })
      const getMessageHistory = messageHistories(registry)
      const chat = withSessionTurns(
        registry,
        new RunnableWithMessageHistory({ runnable: model, getMessageHistory }),
      )
      const asked: Promise<unknown>[] = []
      for (const [index, call] of given.entries()) {
        await think(call.before)
        const question = [new HumanMessage(`${index}`)]
        const config = { configurable: { sessionId: call.session } }
        if (call.way === 'invoke') asked.push(chat.invoke(question, config))
        if (call.way === 'failing') asked.push(chat.invoke(question, config).catch(() => {}))
        if (call.way === 'stream') asked.push(chat.stream(question, config).then(readAll))
        if (call.way === 'unread') asked.push(chat.stream(question, config).then((stream) => stream.cancel()))
        if (call.way === 'left') {
          asked.push(
            chat.stream(question, config).then(async (stream) => {
              for await (const _chunk of stream) break
            }),
          )
        }
      }
      await Promise.all(asked)
      for (const id of ['ada', 'bob']) {
        const numbers = given.map((call, index) => ({ ...call, index })).filter((call) => call.session === id)
        const sure = numbers.filter((call) => call.way === 'invoke' || call.way === 'stream')
        const messages = transcript(registry.get(id))
        // What was left after its only chunk may be stored or not; it is never stored by half.
        const stored = numbers.filter(({ index }) => messages.includes(`human:${index}`))
        expect(messages).toEqual(stored.flatMap(({ index }) => [`human:${index}`, `ai:re:${index}`]))
        expect(stored).toEqual(expect.arrayContaining(sure))
        expect(stored.filter(({ way }) => way === 'failing' || way === 'unread')).toEqual([])
        expect(registry.peek(id)?.held ?? false).toBe(false)
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)
