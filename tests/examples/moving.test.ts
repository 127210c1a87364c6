import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Express } from 'express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { chatOnLruCache } from '../../examples/moving/chat-on-lru-cache.ts'
import { chatOnMap } from '../../examples/moving/chat-on-map.ts'
import { chatOnRegistry } from '../../examples/moving/chat-on-registry.ts'
import { appOnMemorystore } from '../../examples/moving/express-on-memorystore.ts'
import { appOnRegistry } from '../../examples/moving/express-on-registry.ts'
import type { AskModel } from '../../examples/moving/model.ts'

const echo: AskModel = async (history) => {
  const message = history.at(-1)
  await wait(10)
  return `to ${message}`
}

describe('a chat that moves to the registry', () => {
  const before = { 'a Map': chatOnMap, 'lru-cache': chatOnLruCache }

  it.each(Object.entries(before))(
    'keeps the same history as on %s, of one message at a time',
    async (_, on) => {
      for (const chat of [on(echo), chatOnRegistry(echo)]) {
        expect(await chat.say('ada', 'one')).toBe('to one')
        expect(await chat.say('ada', 'two')).toBe('to two')
        expect(chat.history('ada')).toEqual(['one', 'to one', 'two', 'to two'])
        expect(chat.history('ben')).toBeUndefined()
      }
    },
  )

  it.each(Object.entries(before))('is in order where two messages interleave on %s', async (_, on) => {
    const [was, is] = [on(echo), chatOnRegistry(echo)]
    for (const chat of [was, is]) await Promise.all([chat.say('ada', 'one'), chat.say('ada', 'two')])

    expect(was.history('ada')).toEqual(['one', 'two', 'to one', 'to two'])
    expect(is.history('ada')).toEqual(['one', 'to one', 'two', 'to two'])
  })

  it.each(Object.entries(before))(
    'counts the idle time from the answer, and not from the question as on %s',
    async (_, on) => {
      vi.useFakeTimers()
      vi.spyOn(console, 'log').mockReturnValue()
      onTestFinished(() => {
        vi.useRealTimers()
        vi.restoreAllMocks()
      })
      const minutes = (n: number) => vi.advanceTimersByTimeAsync(n * 60_000)
      const slow: AskModel = () => new Promise((resolve) => setTimeout(resolve, 15 * 60_000, 'at last'))
      const [was, is] = [on(slow), chatOnRegistry(slow)]
      for (const chat of [was, is]) chat.say('ada', 'one')
      await minutes(15)
      expect(was.history('ada')).toEqual(['one', 'at last'])
      await minutes(6)

      expect(is.history('ada')).toEqual(['one', 'at last'])
      await minutes(20)
      expect(is.history('ada')).toBeUndefined()
    },
  )
})

async function visits(app: Express): Promise<string[]> {
  app.get('/', (request, response) => {
    const visit = request.session as { views?: number }
    visit.views = (visit.views ?? 0) + 1
    response.end(String(visit.views))
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const counts: string[] = []
  let cookie = ''
  for (let visit = 0; visit < 3; visit += 1) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie, connection: 'close' } })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    counts.push(await response.text())
  }
  return counts
}

describe('an Express application that moves from memorystore', () => {
  it('counts the visits of a visitor as before', async () => {
    expect(await visits(appOnMemorystore())).toEqual(['1', '2', '3'])
    expect(await visits(appOnRegistry())).toEqual(['1', '2', '3'])
  })
})
