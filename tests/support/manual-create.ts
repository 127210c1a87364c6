import { type Deferred, deferred } from './deferred.ts'

export interface ManualCreateCall extends Deferred<string[]> {
  readonly id: string
  readonly signal: AbortSignal
}

/** An asynchronous `create` that the test settles, with its calls. */
export class ManualCreate {
  readonly calls: ManualCreateCall[] = []

  readonly create = (id: string, { signal }: { readonly signal: AbortSignal }): Promise<string[]> => {
    const answer = deferred<string[]>()
    this.calls.push({ ...answer, id, signal })
    return answer.promise
  }

  /** The call of this index, from 0. */
  at(index: number): ManualCreateCall {
    const call = this.calls[index]
    if (call === undefined) throw new Error(`create was called ${this.calls.length} times`)
    return call
  }

  get ids(): readonly string[] {
    return this.calls.map(({ id }) => id)
  }
}
