import type { ClientKind } from './redis-clients.ts'

/** The value of the sessions in the tests of several processes. */
export interface Tally {
  n: number
}

/** The configuration of a worker process. */
export interface WorkerSettings {
  readonly kind: ClientKind
  readonly url: string
  readonly prefix: string
  readonly journal: string
  /** Options of the registry that can be written as JSON. */
  readonly options: Readonly<Record<string, number>>
  /**
   * The shortest and longest duration of an archive; without it nothing is archived. Ids that start with
   * `poison` always fail.
   */
  readonly archive?: { readonly leastMs: number; readonly mostMs: number } | undefined
  /** A folder to which sessions are archived, and from which they are loaded. */
  readonly store?: string | undefined
}

interface Outcome {
  readonly acknowledged: number
  /** The codes of the errors. */
  readonly failures: readonly string[]
}

/** The jobs of a worker. */
export interface Jobs {
  ready(): Promise<void>
  /** Calls `getOrCreate` for each id; returns the number that this process created. */
  create(ids: readonly string[]): Promise<number>
  /** Turns that add one, distributed over all ids. */
  increment(work: {
    readonly ids: readonly string[]
    readonly times: number
    readonly parallel: number
  }): Promise<Outcome>
  /** Reads and turns on ids at random until `stopTraffic`. */
  traffic(work: {
    readonly ids: readonly string[]
    readonly parallel: number
    readonly atMost?: number
  }): Promise<Outcome>
  stopTraffic(): Promise<void>
  /** A long turn that adds one; notifies the parent when it has `entered` and `left`. */
  turn(work: { readonly id: string; readonly forMs: number; readonly isBlocking?: boolean }): Promise<void>
  /** A turn that adds one and interrupts the running one. */
  interrupt(id: string): Promise<void>
  read(id: string): Promise<Tally | undefined>
  close(deadlineMs: number): Promise<void>
}

export interface Call {
  readonly call: number
  readonly job: keyof Jobs
  readonly args: unknown
}

export interface Failure {
  readonly code: string
  readonly stack: string
}

export type Reply =
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly failure: Failure }
