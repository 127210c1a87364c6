/** The state of a promise so far. Observing it handles its rejection. */
export class ObservedPromise<R> {
  state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  value: R | undefined
  error: unknown
  /** Fulfils when the observed promise settles, either way. */
  readonly settled: Promise<void>

  constructor(promise: PromiseLike<R>) {
    this.settled = Promise.resolve(promise).then(
      (value) => {
        this.state = 'fulfilled'
        this.value = value
      },
      (error: unknown) => {
        this.state = 'rejected'
        this.error = error
      },
    )
  }
}

export function observe<R>(promise: PromiseLike<R>): ObservedPromise<R> {
  return new ObservedPromise(promise)
}
