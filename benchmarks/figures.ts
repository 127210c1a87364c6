import type { ContenderName } from './contenders.ts'
import type { FiguresOf, Work } from './measured-process.ts'
import { median } from './median.ts'

interface Entry<W extends Work> {
  readonly work: W
  readonly contender: ContenderName
  readonly size: number
  readonly figures: FiguresOf[W]
}

/** What was measured, round by round. */
export class Figures {
  readonly #entries: Entry<Work>[] = []

  add<W extends Work>(work: W, contender: ContenderName, size: number, figures: FiguresOf[W]): void {
    this.#entries.push({ work, contender, size, figures })
  }

  /** The median of all rounds; `NaN` where there is no such figure. */
  of<W extends Work>(
    work: W,
    contender: ContenderName,
    size: number,
    figure: keyof FiguresOf[W] & string,
  ): number {
    const values = this.#of(work, contender, size).map((figures) => figures[figure] as number)
    // A wait without end is none that a median may leave out.
    if (values.includes(Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY
    return median(values)
  }

  /** The run in which the figure was the largest; for what must not happen even once. */
  worst<W extends Work>(
    work: W,
    contender: ContenderName,
    size: number,
    figure: keyof FiguresOf[W] & string,
  ): FiguresOf[W] {
    return this.#of(work, contender, size).reduce((worst, one) =>
      (one[figure] as number) > (worst[figure] as number) ? one : worst,
    )
  }

  /** The median of each round's ratio to the limit of the same round: what disturbs a round disturbs both. */
  ratio<W extends Work>(
    work: W,
    contender: ContenderName,
    size: number,
    figure: keyof FiguresOf[W] & string,
  ): number {
    const baselines = this.#of(work, 'baseline', size)
    return median(
      this.#of(work, contender, size).map(
        (figures, round) =>
          (figures[figure] as number) / ((baselines[round]?.[figure] as number) ?? Number.NaN),
      ),
    )
  }

  #of<W extends Work>(work: W, contender: ContenderName, size: number): FiguresOf[W][] {
    return this.#entries
      .filter((one) => one.work === work && one.contender === contender && one.size === size)
      .map(({ figures }) => figures as FiguresOf[W])
  }
}
