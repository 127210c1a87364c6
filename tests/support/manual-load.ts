import { type Deferred, deferred } from './deferred.ts'

export interface ManualLoadCall extends Deferred<string[] | undefined> {
  readonly id: string
  readonly signal: AbortSignal
}

/** A `load` hook that the test settles, with its calls. */
export class ManualLoad {
  readonly calls: ManualLoadCall[] = []

  readonly load = (
    id: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<string[] | undefined> => {
    const answer = deferred<string[] | undefined>()
    this.calls.push({ ...answer, id, signal })
    return answer.promise
  }

  /** The call of this index, from 0. */
  at(index: number): ManualLoadCall {
    const call = this.calls[index]
    if (call === undefined) throw new Error(`load was called ${this.calls.length} times`)
    return call
  }
}
