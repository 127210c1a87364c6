import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { readJsonLines } from './json-lines.ts'

/** Where a worker opens its store. */
export type StoreSource =
  | { readonly kind: 'file'; readonly folder: string }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }

/** The arguments of a worker process. */
export interface StoreWork {
  readonly source: StoreSource
  readonly ids: readonly string[]
  /** How often it counts up in each session. */
  readonly rounds: number
  /** The file to which each count is written that the store took. */
  readonly journal: string
}

interface Counted {
  readonly id: string
  readonly n: number
}

/** About as long as a history, so that a write takes its time. */
const fillerLength = 30_000

/** The text for a count, of which half would not do. */
export function textOf(n: number): string {
  return JSON.stringify({ n, filler: String(n % 10).repeat(fillerLength), again: n })
}

/** The count in a text. Throws if the text is not a whole one. */
export function countIn(text: string): number {
  const { n, filler, again } = JSON.parse(text) as { n: number; filler: string; again: number }
  if (textOf(n) !== text || again !== n || filler.length !== fillerLength)
    throw new Error('this is no whole text')
  return n
}

const program = fileURLToPath(new URL('./store-worker.ts', import.meta.url))

/** Processes that count up in the sessions of one store. */
export class StoreWorkers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'session-registry-workers-'))
  readonly #journal = join(this.#folder, 'counts')
  readonly #source: StoreSource
  readonly #children: ChildProcess[] = []

  constructor(source: StoreSource) {
    this.#source = source
    writeFileSync(this.#journal, '')
    onTestFinished(async () => {
      await Promise.all(this.#children.map(kill))
      rmSync(this.#folder, { recursive: true, force: true })
    })
  }

  /** Starts a worker, and returns when it is about to begin. */
  async start(ids: readonly string[], rounds: number): Promise<ChildProcess> {
    const work: StoreWork = { source: this.#source, ids, rounds, journal: this.#journal }
    const child = fork(program, [JSON.stringify(work)], { execArgv: ['--import', 'tsx'] })
    this.#children.push(child)
    await once(child, 'message')
    return child
  }

  /** Every count that a store took, in the order in which it was written down. */
  counts(): Counted[] {
    return readJsonLines(this.#journal)
  }
}

/** Ends a worker as a crash would. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Waits for a worker to come to its end. Returns its exit code. */
export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}
