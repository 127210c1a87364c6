import { type Agent, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { lookUp } from './lookups.ts'

const things = [
  'Hello there, I was told that I can talk to you about whatever is on my mind.',
  'I am a little tired, because my new job starts at six in the morning and the train takes an hour.',
  'I feel that nobody at the office listens to what I say, although they ask me all the time.',
  'I need a holiday somewhere warm, with good food, and without a telephone.',
]

/** What a visitor pastes below each of them, so that a history has the size that histories have. */
const pasted = 'The minutes of the last meeting say nothing of that, nor do those of the one before. '.repeat(
  36,
)

/** Which of the things a visitor wants to have looked up. */
const lookUpAt = 2

/** Between an answer and the next thing that a visitor says. */
const pauseMs = 100

export interface VisitorOptions {
  readonly agent: Agent
  /** Where the visitor's chat is. */
  readonly url: string
  readonly timeoutMs: number
  readonly lookUpMs: number
}

export interface Visit {
  /** Messages that were answered with 200. */
  readonly answered: number
  readonly failed: number
  /**
   * Answers that are not in the history after the last one, though the visitor was never away for as long as
   * the timeout.
   */
  readonly lost: number
}

/** Somebody who says a few things, looks at the history, and never comes back. */
export class Visitor {
  readonly #options: VisitorOptions
  /** The earliest moment at which the server can have had the last message answered. */
  #answeredAfter = Number.POSITIVE_INFINITY
  #wasAway = false

  constructor(options: VisitorOptions) {
    this.#options = options
  }

  async talk({ looksUp }: { readonly looksUp: boolean }): Promise<Visit> {
    const replies: string[] = []
    for (const [place, thing] of things.entries()) {
      if (place > 0) await wait(pauseMs)
      const asks = looksUp && place === lookUpAt
      const message = `${asks ? `${lookUp} ` : ''}${thing} ${pasted}`
      const { reply } = await this.#ask<{ reply?: string }>('POST', { message }, asks)
      if (reply !== undefined) replies.push(reply)
    }
    const { messages = [] } = await this.#ask<{ messages?: { text: string }[] }>('GET')
    const found = new Set(messages.map(({ text }) => text))
    return {
      answered: replies.length,
      failed: things.length - replies.length,
      lost: this.#wasAway ? 0 : replies.filter((reply) => !found.has(reply)).length,
    }
  }

  /** What the server answers with 200; an empty object for anything else. */
  async #ask<A extends object>(method: string, body?: object, asksToLookUp = false): Promise<A> {
    const { agent, url, timeoutMs, lookUpMs } = this.#options
    const headers = { 'content-type': 'application/json' }
    const sentAt = performance.now()
    const answer = await new Promise<object>((resolve, reject) => {
      const sent = request(url, { method, agent, headers }, async (response) => {
        const text = (await json(response)) as object
        resolve(response.statusCode === 200 ? text : {})
      })
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    })
    const thoughtMs = asksToLookUp ? lookUpMs : 0
    // A machine that is busy may keep a visitor for so long that the history has rightly timed out.
    if (performance.now() - thoughtMs - this.#answeredAfter >= timeoutMs) this.#wasAway = true
    this.#answeredAfter = sentAt + thoughtMs
    return answer as A
  }
}
