import { ManualClock } from 'session-registry/testing'
import { Random } from '../../../support/random.ts'
import { Backend, Process } from './process.ts'
import { type Message, Witness } from './witness.ts'

const ids = ['ada', 'bob', 'eve']
const stepCount = 40

const options = {
  timeoutMs: 300,
  intervalMs: 200,
  archiveAttempts: 2,
  archiveConcurrency: 2,
  archiveTimeoutMs: 150,
  loadTimeoutMs: 500,
  maxTurnMs: 2_000,
}

export interface ProgramReport {
  readonly problems: readonly string[]
  readonly acknowledged: number
  readonly forgotten: number
  readonly rejections: ReadonlyMap<string, number>
}

/**
 * A random program of one or two processes on one store that fails one time in five. The seed determines
 * everything.
 */
export async function runProgram(seed: number): Promise<ProgramReport> {
  const program = new Program(seed)
  const { random } = Math
  const jitter = new Random(seed + 2)
  // Pauses between tries have jitter.
  Math.random = () => jitter.next()
  try {
    await program.run()
  } finally {
    Math.random = random
  }
  const { problems, acknowledged, forgotten, rejections } = program.witness
  return { problems, acknowledged, forgotten, rejections }
}

class Program {
  readonly witness: Witness
  readonly #random: Random
  readonly #clock = new ManualClock()
  readonly #backend: Backend
  readonly #maxSessions: number
  /** With `'end'` there is one process, which is not replaced: a crash would lose what it has not written. */
  readonly #save: 'turn' | 'end'
  readonly #processes: Process[]
  /** The deletions that each process was asked for. */
  readonly #deletions = new Map<Process, { readonly id: string; readonly gone: readonly Message[] }[]>()
  #started = 0

  constructor(seed: number) {
    const random = new Random(seed)
    this.#random = random
    this.#save = random.pick(['turn', 'turn', 'turn', 'end'])
    const isAlone = this.#save === 'end' || random.chance(0.4)
    this.witness = new Witness({ isAlone })
    this.#backend = new Backend(new Random(seed + 1), this.witness)
    this.#maxSessions = random.pick([2, 2, 100])
    this.#processes = Array.from({ length: isAlone ? 1 : random.pick([1, 2]) }, () => this.#start())
  }

  async run(): Promise<void> {
    for (let step = 0; step < stepCount; step += 1) {
      for (let act = this.#random.pick([1, 1, 3]); act > 0; act -= 1) this.#act()
      await this.#clock.advanceAsync(this.#random.pick([0, 0, 1, 5, 30, 200, 700]))
    }
    this.#backend.isFaulty = false
    for (const process of this.#processes) await this.#close(process)
    const { registry } = this.#start()
    for (const id of ids) this.witness.expectStored(id, (await registry.open(id, { create: false })) ?? [])
  }

  #start(): Process {
    this.#started += 1
    const own = { ...options, maxSessions: this.#maxSessions, save: this.#save }
    return new Process(`process ${this.#started}`, this.#backend, this.#clock, own)
  }

  #act(): void {
    const random = this.#random
    const index = random.below(this.#processes.length)
    const process = this.#processes[index]
    if (process === undefined) return
    const id = random.pick(ids)
    const chance = random.below(100)
    if (chance < 55) this.#speak(process, id)
    else if (chance < 60) this.#watch(process.registry.save(id))
    else if (chance < 64) this.#watch(process.registry.open(id))
    else if (chance < 69) this.#watch(this.#forget(process, id))
    else if (chance < 74) this.#delete(process, id)
    else if (chance < 76) this.#clear(process)
    else if (chance < 79) this.#erase(process, id, () => process.registry.set(id, []))
    else if (chance < 82) this.#erase(process, id, () => process.registry.replace(id, []))
    else if (chance < 88) process.registry.sweep()
    else if (chance < 92) process.registry.touch(id)
    else if (chance < 96 && this.#save === 'turn') this.#processes[index] = this.#replaced(process)
    else this.#watch(this.#crowd(process))
  }

  /** A turn that says one message. */
  #speak(process: Process, id: string): void {
    const random = this.#random
    const message = this.witness.message(id, process)
    const pauseMs = random.pick([0, 0, 0, 5, 50])
    const how = random.pick(['plain', 'plain', 'plain', 'plain', 'nested', 'failing', 'joining'] as const)
    const failure = new Error('the model is away')
    let found: readonly string[] = []
    const say = (value: string[]) => {
      value.push(message.text)
      this.witness.said(message)
    }
    const run = process.registry.run(
      id,
      async ({ value }) => {
        found = [...value]
        this.witness.began(message, found)
        if (pauseMs > 0) await process.wait(pauseMs)
        if (how === 'nested') await process.registry.run(id, ({ value: inner }) => say(inner))
        else say(value)
        if (how === 'failing') throw failure
      },
      how === 'joining' ? { whenBusy: 'join' } : {},
    )
    run.then(
      () => {
        // A run that joins does not say that it is stored.
        if (how !== 'joining') this.witness.resolved(message, found)
      },
      (error) => {
        if (error !== failure) this.witness.rejected(error)
      },
    )
  }

  async #forget(process: Process, id: string): Promise<void> {
    const gone = this.witness.deletes(id, process)
    await process.registry.forget(id)
    this.witness.isGone(id, gone, this.#textOf(id))
  }

  #erase(process: Process, id: string, call: () => unknown): void {
    this.witness.erases(id, process)
    try {
      call()
    } catch (error) {
      this.witness.rejected(error)
    }
  }

  #delete(process: Process, id: string): void {
    const gone = this.witness.deletes(id, process)
    const deletions = this.#deletions.get(process) ?? []
    this.#deletions.set(process, [...deletions, { id, gone }])
    process.registry.delete(id)
  }

  #clear(process: Process): void {
    for (const id of ids) this.witness.erases(id, process)
    process.registry.clear()
  }

  /** Opens other sessions, so that some have to make room. */
  async #crowd(process: Process): Promise<void> {
    await Promise.all(ids.map((id) => process.registry.open(id)))
  }

  /** Ends a process, by a crash or not, and starts another in its place. */
  #replaced(process: Process): Process {
    if (this.witness.isAlone || this.#random.chance(0.5)) process.crash()
    else this.#watch(process.registry.close({ deadlineMs: this.#random.pick([50, 5_000]) }))
    return this.#start()
  }

  async #close(process: Process): Promise<void> {
    let isClosed = false
    const closed = process.registry.close({ deadlineMs: 60_000 }).then(({ failed }) => {
      isClosed = true
      for (const { id, value } of failed) this.witness.reported(id, value)
    })
    for (let round = 0; round < 100 && !isClosed; round += 1) await this.#clock.advanceAsync(1_000)
    if (!isClosed) throw new Error('Expected the registry to close')
    await closed
    for (const { id, gone } of this.#deletions.get(process) ?? [])
      this.witness.isGone(id, gone, this.#textOf(id))
  }

  #watch(call: Promise<unknown>): void {
    call.catch((error) => this.witness.rejected(error))
  }

  #textOf(id: string): string | undefined {
    return this.#backend.store.session(id)?.text
  }
}
