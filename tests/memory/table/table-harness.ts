import type { SessionRecord } from '../../../src/memory/session/session-record.ts'
import { Sessions } from '../../../src/memory/session/sessions.ts'
import type { Precision } from '../../../src/memory/table/expiry/timeout-queue.ts'
import { noSlot } from '../../../src/memory/table/layout.ts'
import { Random } from '../../support/random.ts'
import { type ModelSession, TableModel } from './table-model.ts'

const never = Number.POSITIVE_INFINITY
/** Zero stands for the registry's own. */
const timeouts = [0, 0, 1, 150, 1_000, 12_800, 12_801, 50_000, never]

/** Both orders, with sessions that get too old and without, and where most do not end by idleness. */
export const harnessKinds = [
  { timeoutMs: 12_800, maxAgeMs: never, order: 'for-evictions' },
  { timeoutMs: 12_800, maxAgeMs: never, order: 'for-sweeps' },
  { timeoutMs: 1_000, maxAgeMs: 5_000, order: 'for-evictions' },
  { timeoutMs: 12_800, maxAgeMs: 20_000, order: 'for-sweeps' },
  { timeoutMs: never, maxAgeMs: never, order: 'for-evictions' },
  { timeoutMs: never, maxAgeMs: 9_000, order: 'for-sweeps' },
] as const

export interface TableHarnessOptions {
  readonly seed: number
  readonly timeoutMs: number
  readonly maxAgeMs: number
  readonly order: Precision
}

/** A table beside its model; the two are told the same, whatever chance comes up with. */
export class TableHarness {
  readonly options: TableHarnessOptions
  readonly random: Random
  readonly table: Sessions<number>
  readonly model: TableModel
  readonly out: SessionRecord<number>[] = []
  now = 1_000
  steps = 0
  #lastId = 0
  #ended = 0

  constructor(options: TableHarnessOptions) {
    this.options = options
    this.random = new Random(options.seed)
    this.table = new Sessions(options.timeoutMs, options.maxAgeMs, options.order)
    this.model = new TableModel(options.maxAgeMs)
  }

  /** How many sessions have ended in walks. */
  get ended(): number {
    return this.#ended
  }

  expect(isSo: boolean, what: string): void {
    if (isSo) return
    const { seed, timeoutMs, maxAgeMs, order: precision } = this.options
    throw new Error(
      `${what}; seed ${seed}, step ${this.steps}, ${timeoutMs} ms, at most ${maxAgeMs} ms, ${precision}`,
    )
  }

  insert(choices: readonly number[] = timeouts): void {
    const timeoutMs = this.random.pick(choices) || undefined
    this.#lastId += 1
    const id = `session-${this.#lastId}`
    const slot = this.table.insert(id, this.#lastId, timeoutMs, this.now)
    this.expect(slot !== noSlot && this.table.generation(slot) !== 0, `${id} has no slot`)
    this.model.add(id, this.#lastId, timeoutMs ?? this.options.timeoutMs, this.now, slot)
  }

  touchAny(): void {
    this.#change(this.model.pick(this.random), (session) => this.#touch(session))
  }

  step(): void {
    const { table, model, random } = this
    this.steps += 1
    const what = random.next()
    if (what < 0.2) this.insert()
    else if (what < 0.3) this.#change(model.pick(random), (session) => this.#touch(session))
    else if (what < 0.45) this.#change(model.pick(random), (session) => this.#touchLive(session))
    else if (what < 0.52)
      this.#change(
        model.pick(random, ({ isHeld }) => !isHeld),
        (session) => this.#hold(session),
      )
    else if (what < 0.6)
      this.#change(
        model.pick(random, ({ isHeld }) => isHeld),
        (session) => this.#release(session),
      )
    else if (what < 0.68) this.#change(model.pick(random), (session) => this.#assignTimeout(session))
    else if (what < 0.72) this.#change(model.pick(random), (session) => this.remove(session))
    else if (what < 0.76) this.#change(model.pick(random), (session) => this.takeOut(session))
    else if (what < 0.79) this.#reinsert()
    else if (what < 0.81) this.#change(model.pick(random), ({ slot }) => table.recordOf(slot))
    else if (what < 0.84) this.walk(this.now, 1 + random.below(5))
    else this.now += this.#pause()
    this.expect(table.size === model.sessions.length, 'another size')
    this.expect(table.heldCount === model.held, 'another count of held ones')
  }

  /** Asks for what is over, a few times or to the end; only without a limit must that be all. */
  walk(now: number, most = never): void {
    const { table, model, random } = this
    const over = most === never ? model.expired(now) : undefined
    if (over !== undefined && over.size > 0) this.expect(table.mayHaveExpired(now), 'may have none over')
    for (let count = 0; count < most; ) {
      const slot = table.nextExpired(now)
      if (slot === 'paused') continue
      if (slot === noSlot) break
      count += 1
      const session = model.find(table.idOf(slot))
      if (session === undefined) throw new Error(`no session has the slot ${slot}; seed ${this.options.seed}`)
      this.expect(model.isExpired(session, now) && table.isExpired(slot, now), `${session.id} was not over`)
      this.expect(table.expiryReason(slot) === model.reasonOf(session), `${session.id} has another reason`)
      over?.delete(session.id)
      this.#ended += 1
      if (random.chance(0.5)) this.takeOut(session)
      else this.remove(session)
    }
    if (over === undefined) return
    this.expect(over.size === 0, `${[...over].slice(0, 3)} were not found`)
    this.expect(!table.mayHaveExpired(now), 'may have one over after all were found')
  }

  /** Asks for what was over a moment ago, as a sweep in slices does. */
  walkBack(): void {
    // All of it is found, but for those whose age was put aside while they were held: they come back in no
    // order, as they are over from then on. Before that moment one of them may hide another until the next
    // walk.
    const most = this.options.maxAgeMs === never ? never : Number.MAX_SAFE_INTEGER
    this.walk(this.now - this.random.below(500), most)
  }

  /** Compares everything. */
  compare(): void {
    const { table, model } = this
    for (const session of model.sessions) {
      const fault = this.#faultOf(session)
      if (fault !== undefined) this.expect(false, `${session.id} ${fault}`)
    }
    this.expect(table.expirableCount === model.expirable, 'another count of those that can end')
    this.#compareOrder()
  }

  #faultOf(session: ModelSession): string | undefined {
    const { table, model, now } = this
    const { slot, id } = session
    if (table.find(id) !== slot || table.idOf(slot) !== id) return 'was not found'
    if (table.valueOf(slot) !== session.value) return 'has another value'
    if (table.lastActive(slot) !== session.lastActive) return 'was active at another time'
    if (table.created(slot) !== session.created) return 'was created at another time'
    if (table.timeoutMs(slot) !== session.timeoutMs) return 'has another timeout'
    if (table.isHeld(slot) !== session.isHeld) return 'is held or not'
    if (table.isExpired(slot, now) !== model.isExpired(session, now)) return 'is over or not'
    const record = table.record(slot)
    return record === undefined || record.value === session.value
      ? undefined
      : 'has a record of something else'
  }

  #compareOrder(): void {
    const { table, model } = this
    const walked = table.snapshot().map((slot) => model.find(table.idOf(slot)))
    this.expect(walked.length === model.sessions.length, 'a walk has another length')
    this.expect(new Set(walked).size === walked.length && !walked.includes(undefined), 'a walk has one twice')
    let before = Number.NEGATIVE_INFINITY
    for (const [at, session] of walked.entries()) {
      this.expect(session?.isHeld === at >= walked.length - model.held, 'those in use are not last')
      if (session?.isHeld !== false) continue
      this.expect(session.lastActive >= before, 'a walk is not in order')
      before = session.lastActive
    }
    const least =
      table.leastRecentlyActive === noSlot ? undefined : model.find(table.idOf(table.leastRecentlyActive))
    const wanted = model.leastActive
    this.expect((least === undefined) === (wanted === undefined), 'there is one to evict or not')
    if (least === undefined || wanted === undefined) return
    const lateBy = least.lastActive - wanted.lastActive
    const granules = this.options.order === 'for-evictions' ? 1 : 33
    this.expect(
      !least.isHeld && lateBy <= granules * this.#granuleOf(wanted),
      `${lateBy} ms from the least active, with a timeout of ${wanted.timeoutMs}`,
    )
  }

  /** Takes all out, those that can end in one walk, and says what is left of them then. */
  leftAfterEmptying(): string | undefined {
    const { table, model } = this
    this.now += 200_000
    this.walk(this.now)
    this.compare()
    for (const session of [...model.sessions]) this.remove(session)
    this.compare()
    if (table.size + table.heldCount + table.expirableCount > 0) return 'sessions are counted'
    if (table.mayHaveExpired(this.now * 2)) return 'some may be over'
    // The first page, the one that is asked for slots at present, and the one that is kept.
    const pages = table.fastPath.pages.filter((page) => page !== undefined).length
    return pages > 3 ? `${pages} pages` : undefined
  }

  takeOut(session: ModelSession): void {
    const record = this.table.detach(session.slot)
    this.model.remove(session)
    this.expect(record.slot === noSlot && record.id === session.id, `${session.id} was not taken out`)
    this.expect(
      record.value === session.value &&
        record.created === session.created &&
        record.lastActive === session.lastActive &&
        record.timeoutMs === session.timeoutMs,
      `the record of ${session.id} says something else`,
    )
    this.expect(this.table.find(session.id) === noSlot, `${session.id} was found after its end`)
    if (this.out.length < 20) this.out.push(record)
  }

  remove(session: ModelSession): void {
    this.table.remove(session.slot)
    this.model.remove(session)
    this.expect(this.table.find(session.id) === noSlot, `${session.id} was found after its end`)
  }

  #reinsert(): void {
    const record = this.out.splice(this.random.below(this.out.length + 1), 1)[0]
    if (record === undefined) return
    if (this.random.chance(0.5)) record.value += 1e6
    const { value, timeoutMs } = record
    this.table.reinsert(record, this.now)
    this.model.add(record.id, value, timeoutMs, this.now, record.slot)
    this.expect(this.table.recordOf(this.table.find(record.id)) === record, `${record.id} has another record`)
  }

  #change(session: ModelSession | undefined, change: (session: ModelSession) => void): void {
    if (session !== undefined) change(session)
  }

  /** A tick of the timeout of a session, and some more for the rounding. */
  #granuleOf({ timeoutMs }: ModelSession): number {
    return timeoutMs === never ? 0 : Math.min(timeoutMs / 128, 10_000) + 1e-6
  }

  #touch(session: ModelSession): void {
    this.table.touch(session.slot, this.now)
    session.lastActive = this.now
  }

  #touchLive(session: ModelSession): void {
    const isLive = !this.model.isExpired(session, this.now)
    this.expect(this.table.touchLive(session.slot, this.now) === isLive, `${session.id} lives or not`)
    if (isLive) session.lastActive = this.now
  }

  #hold(session: ModelSession): void {
    this.table.hold(session.slot)
    session.isHeld = true
    this.model.held += 1
  }

  #release(session: ModelSession): void {
    this.table.release(session.slot, this.now)
    session.isHeld = false
    session.lastActive = this.now
    this.model.held -= 1
  }

  #assignTimeout(session: ModelSession): void {
    const timeoutMs = this.random.pick(timeouts) || undefined
    this.table.assignTimeout(session.slot, timeoutMs)
    session.timeoutMs = timeoutMs ?? this.options.timeoutMs
  }

  #pause(): number {
    return this.random.pick([
      0,
      this.random.below(3),
      this.random.next(),
      this.random.below(120),
      this.random.below(1_500),
    ])
  }
}
