import { Agent } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { type Visit, Visitor } from './visitor.ts'

/** Interval between visitors who request a slow answer: every fifth. */
const lookUpEvery = 5

/** Results of all visits. */
export interface Traffic extends Visit {
  readonly visitors: number
}

export interface TrafficOptions {
  readonly seconds: number
  readonly visitorsPerSecond: number
  readonly timeoutMs: number
  readonly lookUpMs: number
}

/** Sends visitors to a server at a fixed rate, so that a faster server does not get more of them. */
export async function sendVisitors(address: string, options: TrafficOptions): Promise<Traffic> {
  const { seconds, visitorsPerSecond, timeoutMs, lookUpMs } = options
  const agent = new Agent({ keepAlive: true })
  const startedAt = performance.now()
  const visits = Array.from({ length: Math.ceil(seconds * visitorsPerSecond) }, async (_, number) => {
    await wait(startedAt + (number * 1_000) / visitorsPerSecond - performance.now())
    const url = `${address}/chat/visitor-${number}`
    return new Visitor({ agent, url, timeoutMs, lookUpMs }).talk({ looksUp: number % lookUpEvery === 0 })
  })
  const all = await Promise.all(visits)
  agent.destroy()
  const sum = (count: (visit: Visit) => number) => all.reduce((total, one) => total + count(one), 0)
  return {
    visitors: all.length,
    answered: sum(({ answered }) => answered),
    failed: sum(({ failed }) => failed),
    lost: sum(({ lost }) => lost),
  }
}
