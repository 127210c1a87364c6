import { expect } from 'vitest'

/** Fewer rounds may lack an effect by chance. */
const leastRounds = 30

/** The sums of what the rounds of a random test did: rounds without effects prove nothing. */
export class RandomEffects {
  readonly #sums: Record<string, number> = {}
  #rounds = 0

  add(counts: Readonly<Record<string, number>>): void {
    this.#rounds += 1
    for (const [name, count] of Object.entries(counts)) this.#sums[name] = (this.#sums[name] ?? 0) + count
  }

  /** Expects each count to be at least as high as given in the mean of the rounds. */
  expectMeans(least: Readonly<Record<string, number>>): void {
    if (this.#rounds < leastRounds) return
    for (const [name, mean] of Object.entries(least))
      expect((this.#sums[name] ?? 0) / this.#rounds, `${name} in a round`).toBeGreaterThan(mean)
  }
}
