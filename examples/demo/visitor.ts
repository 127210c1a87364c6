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

/** Text below each message, so that a history has a realistic size. */
const pasted = 'The minutes of the last meeting say nothing of that, nor do those of the one before. '.repeat(
  36,
)

/** Index of the message whose answer takes long. */
const lookUpAt = 2

/** Pause between an answer and the next message, in milliseconds. */
const pauseMs = 100

export interface VisitorOptions {
  readonly agent: Agent
  /** URL of the visitor's chat. */
  readonly url: string
  readonly timeoutMs: number
  readonly lookUpMs: number
}

export interface Visit {
  /** Messages that were answered with 200. */
  readonly answered: number
  readonly failed: number
  /**
   * Answers that are missing from the history after the last one, although the visitor was never away for as
   * long as the timeout.
   */
  readonly lost: number
}

/** A visitor who sends a few messages, reads the history, and never comes back. */
export class Visitor {
  readonly #options: VisitorOptions
  /** The earliest instant at which the server can have answered the last message. */
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

  /** Returns the body of a response with status 200, and an empty object for any other. */
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
    // On a busy machine a visitor may wait so long that the history has rightly timed out.
    if (performance.now() - thoughtMs - this.#answeredAfter >= timeoutMs) this.#wasAway = true
    this.#answeredAfter = sentAt + thoughtMs
    return answer as A
  }
}
