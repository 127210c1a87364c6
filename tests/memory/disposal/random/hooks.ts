import type { EndReason, SessionRegistryOptions } from 'session-registry'
import type { ManualClock } from 'session-registry/testing'
import type { Random } from '../../../support/random.ts'
import type { Resource, Resources } from './resources.ts'

/** A failure that a program has planned. */
export class PlannedFailure extends Error {}

/** Hooks take less than this, in milliseconds, but for those that are slow. */
const quickMs = 6

/** The limit of each hook, in milliseconds: longer than a quick hook, shorter than a slow one. */
export const hookLimitMs = 15

const slowMs = 40

/** How the hooks of a program behave. */
export interface HookPlan {
  readonly createsAsync: boolean
  readonly disposesAsync: boolean
  readonly archives: 'no' | 'sync' | 'async'
  readonly loads: boolean
  /** Whether hooks sometimes take longer than their limit. */
  readonly isSlow: boolean
  readonly failures: number
}

export function planHooks(random: Random): HookPlan {
  return {
    createsAsync: random.chance(0.6),
    disposesAsync: random.chance(0.6),
    archives: random.pick(['no', 'no', 'sync', 'async']),
    loads: random.chance(0.2),
    isSlow: random.chance(0.25),
    failures: random.pick([0, 0.1, 0.3]),
  }
}

/** The hooks of one program: they open and close resources, and take their time. */
export class Hooks {
  readonly #random: Random
  readonly #clock: ManualClock
  readonly #resources: Resources
  readonly #plan: HookPlan
  /** The number of hooks that take their time now. */
  waiting = 0
  /** The creations in progress that are still wanted, by id. */
  readonly #making = new Map<string, AbortSignal[]>()

  constructor(random: Random, clock: ManualClock, resources: Resources, plan: HookPlan) {
    this.#random = random
    this.#clock = clock
    this.#resources = resources
    this.#plan = plan
  }

  get options(): SessionRegistryOptions<Resource> {
    const { createsAsync, disposesAsync, archives, loads } = this.#plan
    return {
      create: createsAsync ? this.#createAsync : this.createNow,
      dispose: disposesAsync ? this.#disposeAsync : this.#disposeNow,
      ...(archives === 'no' ? {} : { archive: archives === 'sync' ? this.#archiveNow : this.#archiveAsync }),
      ...(loads ? { load: this.#load } : {}),
    }
  }

  readonly createNow = (id: string): Resource => {
    this.#mayFail('create')
    return this.#resources.open(id)
  }

  readonly #createAsync = async (
    id: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Resource> => {
    const wanted = (this.#making.get(id) ?? []).filter(({ aborted }) => !aborted)
    if (wanted.length > 0) this.#resources.problems.push('two creations of one id at once')
    this.#making.set(id, [...wanted, signal])
    try {
      return await this.#make(id, signal)
    } finally {
      this.#making.set(
        id,
        (this.#making.get(id) ?? []).filter((other) => other !== signal),
      )
    }
  }

  async #make(id: string, signal: AbortSignal): Promise<Resource> {
    this.#mayFail('create')
    const resource = this.#resources.open(id)
    await this.#sleepWith(resource)
    const gaveUp = signal.aborted && this.#random.chance(0.5)
    if (!gaveUp && !this.#random.chance(this.#plan.failures)) return resource
    this.#resources.close(resource, 'closed by the app')
    throw new PlannedFailure('create, late')
  }

  readonly #load = async (id: string): Promise<Resource | undefined> => {
    await this.sleep()
    this.#mayFail('load')
    return this.#random.chance(0.5) ? undefined : this.#resources.open(id, false)
  }

  readonly #archiveNow = (): void => this.#mayFail('archive')

  readonly #archiveAsync = async (): Promise<void> => {
    await this.sleep()
    this.#mayFail('archive')
  }

  readonly #disposeNow = (resource: Resource, reason: EndReason): void => {
    this.#resources.beginDisposal(resource, reason)
    this.#resources.close(resource)
    this.#mayFail('dispose')
  }

  readonly #disposeAsync = async (resource: Resource, reason: EndReason): Promise<void> => {
    this.#resources.beginDisposal(resource, reason)
    await this.#sleepWith(resource)
    this.#resources.close(resource)
    this.#mayFail('dispose')
  }

  /** Waits as {@link sleep} in a hook of a resource, which keeps its place for the limit of the hook. */
  async #sleepWith(resource: Resource): Promise<void> {
    const timer = this.#clock.setTimeout(() => {
      resource.counts = false
    }, hookLimitMs)
    await this.sleep()
    this.#clock.clearTimeout(timer)
  }

  /** Waits for a random time, sometimes longer than the limit of a hook. */
  async sleep(): Promise<void> {
    const isLate = this.#plan.isSlow && this.#random.chance(0.2)
    this.waiting += 1
    await this.wait(isLate ? slowMs : this.#random.below(quickMs))
    this.waiting -= 1
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimeout(resolve, ms)
    })
  }

  #mayFail(what: string): void {
    if (this.#random.chance(this.#plan.failures)) throw new PlannedFailure(what)
  }
}
