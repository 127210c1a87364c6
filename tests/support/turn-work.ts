import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { readJsonLines } from './json-lines.ts'
import { kill, type StoreSource } from './store-work.ts'

/** The arguments of a process that takes turns. */
export interface TurnWork {
  readonly source: StoreSource
  readonly ids: readonly string[]
  /** How many turns it takes in all. */
  readonly turns: number
  readonly journal: string
}

/** A turn whose run settled, with the code of its rejection; or an `error` event. */
export type TurnLine =
  | { readonly id: string; readonly message: string; readonly code?: string }
  | { readonly error: string }

const filler = 'x'.repeat(150)

/** A message of which half would not do. */
export function messageOf(name: string): string {
  return `${name} ${filler} ${name}`
}

export function isWhole(message: string): boolean {
  return message === messageOf(message.split(' ')[0] ?? '')
}

const program = fileURLToPath(new URL('./turn-worker.ts', import.meta.url))

/** Processes that take turns on the sessions of one store. */
export class TurnWorkers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'session-registry-turns-'))
  readonly #journal = join(this.#folder, 'turns')
  readonly #source: StoreSource
  readonly #ids: readonly string[]
  readonly #children: ChildProcess[] = []

  constructor(source: StoreSource, ids: readonly string[]) {
    this.#source = source
    this.#ids = ids
    writeFileSync(this.#journal, '')
    onTestFinished(async () => {
      await Promise.all(this.#children.map(kill))
      rmSync(this.#folder, { recursive: true, force: true })
    })
  }

  /** Starts a worker, and returns when it is about to begin. */
  async start(turns: number): Promise<ChildProcess> {
    const work: TurnWork = { source: this.#source, ids: this.#ids, turns, journal: this.#journal }
    const child = fork(program, [JSON.stringify(work)], { execArgv: ['--import', 'tsx'] })
    this.#children.push(child)
    await once(child, 'message')
    return child
  }

  lines(): TurnLine[] {
    return readJsonLines(this.#journal)
  }
}
