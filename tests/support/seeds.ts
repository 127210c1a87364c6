import process from 'node:process'

const { RANDOM_SEED = '1', RANDOM_ROUNDS } = process.env

/**
 * Returns the seeds of a random test: the same in each run, so that a change is judged by what it changes.
 * `npm run test:random` takes others, and may find what no run has found.
 */
export function seedsOf({ rounds }: { readonly rounds: number }): readonly number[] {
  const first = RANDOM_SEED === 'now' ? Date.now() % 1_000_000_000 : Number(RANDOM_SEED)
  return Array.from({ length: Number(RANDOM_ROUNDS ?? rounds) }, (_, index) => first + index)
}

/** What repeats the round of a seed; the message of a failure. */
export function repeatedBy(seed: number): string {
  return `RANDOM_SEED=${seed} RANDOM_ROUNDS=1`
}
