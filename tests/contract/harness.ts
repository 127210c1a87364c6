import type {
  AcquireOptions,
  ArchiveReason,
  CreateOptions,
  CurrentSession,
  EndReason,
  ExpiryReason,
  GoneSession,
  HoldOptions,
  InspectedSession,
  LoadContext,
  Logger,
  OpenOptions,
  RegistryHealth,
  RunOptions,
  Session,
  StreamTurn,
  Turn,
  WhyGoneOptions,
} from 'session-registry'

type Awaitable<R> = R | Promise<R>
type Walk<R> = Iterable<R> | AsyncIterable<R>

/** The members that all registries share, with results that may be promises. */
export interface ContractRegistry {
  getOrCreate(id: string, create?: (id: string) => string[], options?: CreateOptions): Awaitable<string[]>
  get(id: string): Awaitable<string[] | undefined>
  set(id: string, value: string[], options?: CreateOptions): Awaitable<unknown>
  replace(id: string, value: string[], options?: CreateOptions): Awaitable<unknown>
  touch(id: string): Awaitable<boolean>
  peek(id: string): Awaitable<Session<string[]> | undefined>
  has(id: string): Awaitable<boolean>
  delete(id: string): Awaitable<boolean>
  clear(): Awaitable<number>
  whyGone(id: string, options?: WhyGoneOptions): Awaitable<GoneSession | undefined>
  keys(): Walk<string>
  values(): Walk<string[]>
  sessions(): Walk<Session<string[]>>
  sweep(): Awaitable<number>
  open(id: string, options?: OpenOptions<string[]>): Promise<string[] | undefined>
  acquire(id: string, options?: AcquireOptions<string[]>): Promise<ContractHold | undefined>
  run<R>(id: string, turn: Turn<string[], R>, options?: RunOptions<string[]>): Promise<R | undefined>
  stream<Y>(
    id: string,
    turn: StreamTurn<string[], Y>,
    options?: RunOptions<string[]>,
  ): AsyncGenerator<Y, unknown, undefined>
  current(): CurrentSession | undefined
  hold(id: string, options?: HoldOptions): Awaitable<ContractHold | undefined>
  stats(): Awaitable<ContractStats>
  inspect(): Awaitable<InspectedSession[]>
  health(): Awaitable<RegistryHealth>
  close(options?: { readonly deadlineMs?: number }): Promise<unknown>
  on(event: 'created', listener: (session: Session<string[]>) => void): unknown
  on(event: 'expired', listener: (session: Session<string[]>, reason: ExpiryReason) => void): unknown
  on(event: 'ended', listener: (session: Session<string[]>, reason: EndReason) => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
}

interface ContractHold {
  readonly session: Session<string[]>
  renew(): Awaitable<boolean>
  release(): Awaitable<void>
}

interface ContractStats {
  readonly created: number
  readonly loaded: number
  readonly expired: number
  readonly deleted: number
  readonly hits: number
  readonly misses: number
  readonly turns: number
  readonly turnTimeouts: number
  readonly running: number
  readonly waiting: number
  readonly listenerErrors: number
}

/**
 * The options that mean the same in every registry. How often it looks in the background is the harness's
 * choice.
 */
export interface ContractOptions {
  readonly name?: string
  readonly timeoutMs?: number
  readonly maxAgeMs?: number
  readonly maxTurnMs?: number
  readonly turnGraceMs?: number
  readonly maxHoldMs?: number
  readonly maxWaiting?: number
  readonly slowTurnMs?: number
  readonly logger?: Logger
  readonly create?: (id: string) => string[] | Promise<string[]>
  readonly load?: (id: string, context: LoadContext) => Promise<string[] | undefined>
  readonly archive?: (
    session: Session<string[]>,
    reason: ArchiveReason,
    context: { readonly signal: AbortSignal; readonly attempt: number },
  ) => Promise<void>
  readonly archiveConcurrency?: number
  readonly loadTimeoutMs?: number
  readonly tombstoneMs?: number
}

/** The adapter by which the contract suite uses a registry. */
export interface ContractHarness {
  /** Returns a separate registry with these options, which is removed when the test ends. */
  make(options: ContractOptions): Awaitable<ContractRegistry>
  /** Lets time pass for the registries, with everything that is due in it. */
  advance(ms: number): Promise<void>
  size(registry: ContractRegistry): Awaitable<number>
  /** Unit of time of the tests, in milliseconds: short enough to wait for, long enough to distinguish. */
  readonly unitMs: number
  /** Longest time after its deadline that a session may be live, in milliseconds. 0: it is exact. */
  readonly latenessMs: number
  /** Guarantees that not every registry gives. */
  readonly makes: {
    /** `close` ends every session, with the reason `closed`. */
    readonly closeEndsSessions: boolean
    /** While an old incarnation is being archived, `getOrCreate` and `set` throw, even without `load`. */
    readonly refusesWhileArchiving: boolean
  }
}

/** Lets time pass until the check no longer throws; after 100 units its error is the test's. */
export async function eventually(harness: ContractHarness, check: () => Awaitable<unknown>): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      await check()
      return
    } catch (error) {
      if (left === 0) throw error
    }
    await harness.advance(harness.unitMs)
  }
}

export async function collect<R>(walk: Walk<R>): Promise<R[]> {
  const found: R[] = []
  for await (const one of walk) found.push(one)
  return found
}

/** Records the events of a registry as lines such as `ended a idle`. */
export function record(registry: ContractRegistry): string[] {
  const lines: string[] = []
  registry.on('created', (session) => lines.push(`created ${session.id}`))
  registry.on('expired', (session, reason) => lines.push(`expired ${session.id} ${reason}`))
  registry.on('ended', (session, reason) => lines.push(`ended ${session.id} ${reason}`))
  return lines
}
