import { setTimeout as wait } from 'node:timers/promises'
import type { Message } from './message.ts'

/** Answers the last message of a history; a real one asks a model. */
export type Responder = (history: readonly Message[], signal: AbortSignal) => Promise<string>

/** Answers by the pattern that a message matches; `$1` is the captured text. */
const rules: readonly [pattern: RegExp, answers: readonly string[]][] = [
  [/\bI need (.+)/i, ['Why do you need $1?', 'Would it really help you to get $1?']],
  [/\bI am (.+)/i, ['How long have you been $1?', 'How do you feel about being $1?']],
  [/\bI feel (.+)/i, ['Do you often feel $1?', 'When do you usually feel $1?']],
  [/\bbecause (.+)/i, ['Is that the real reason?', 'What else could it be, apart from $1?']],
  [/\bmy (mother|father|sister|brother|family)\b/i, ['Tell me more about your $1.']],
  [/\b(hello|hi|good (?:morning|evening))\b/i, ['Hello. What is on your mind?']],
  [/\?\s*$/, ['Why do you ask that?', 'What do you think yourself?']],
]

const otherwise = [
  'Please tell me more.',
  'I see. And what does that tell you?',
  'How does that make you feel?',
]

const mirrored: Readonly<Record<string, string>> = {
  i: 'you',
  me: 'you',
  my: 'your',
  mine: 'yours',
  am: 'are',
  you: 'I',
  your: 'my',
}

/**
 * Returns a responder in the manner of Weizenbaum's ELIZA (1966), so that the server runs without a key.
 *
 * `thinkMs` delays each answer, as a model would. Milliseconds.
 */
export function eliza({ thinkMs = 0 } = {}): Responder {
  return async (history, signal) => {
    if (thinkMs > 0) await wait(thinkMs, undefined, { signal })
    const said = history.findLast(({ role }) => role === 'visitor')?.text ?? ''
    for (const [pattern, answers] of rules) {
      const match = pattern.exec(said)
      if (match !== null) return pick(answers, history.length).replace('$1', mirror(match[1] ?? ''))
    }
    return pick(otherwise, history.length)
  }
}

/** Picks an answer in turn, not at random, so that equal conversations have equal answers. */
function pick(answers: readonly string[], turn: number): string {
  return answers[Math.floor(turn / 2) % answers.length] ?? ''
}

function mirror(words: string): string {
  return words
    .replace(/[.!?]+$/, '')
    .split(' ')
    .map((word) => mirrored[word.toLowerCase()] ?? word)
    .join(' ')
}
