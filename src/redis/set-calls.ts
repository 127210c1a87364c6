import type { Session } from '../core/session.ts'
import type { NewSession, NewSessionOptions } from './storage/session-draft.ts'
import { RedisTurnRun } from './turns/turn-run.ts'
import type { RedisComponents } from './wiring.ts'

/** Calls of `set`, each a short turn. */
export class SetCalls<T> {
  readonly #components: RedisComponents<T>

  constructor(components: RedisComponents<T>) {
    this.#components = components
  }

  /** Assigns the value of the live session when no turn has it; else creates one. */
  async set(id: string, value: T, options: NewSessionOptions): Promise<void> {
    const { turns } = this.#components
    const text = this.#components.options.codec.encode(value)
    while (turns.isBusy(id) || !(await this.#assign(id, { text, ...options }))) {
      if (await this.#assignInTurn(id, text, options.owner)) return
    }
  }

  /** Assigns in one round trip. Returns `false` while a turn has the session. */
  async #assign(id: string, session: NewSession): Promise<boolean> {
    const { store, log, pending } = this.#components
    const assigned = await pending.track(store.assign(id, session))
    if ('snapshot' in assigned) log.created(assigned.snapshot)
    return assigned.state !== 'busy'
  }

  /** Assigns in a turn. Returns whether there was a session to assign to. */
  async #assignInTurn(id: string, text: string, owner: string | undefined): Promise<boolean> {
    const { turns, options } = this.#components
    const { counts } = turns
    const done = await new Promise<unknown>((resolve, reject) => {
      const turn = (session: Session<T>) => {
        session.value = options.codec.decode(text)
        return true
      }
      const call = { id, turn, whenBusy: 'wait', create: false, owner, outer: undefined, counts } as const
      const run = new RedisTurnRun<T>({ ...call, resolve, reject })
      run.mayCreate = false
      turns.start(run)
    })
    return done === true
  }
}
