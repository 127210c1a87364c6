import type { ContenderName } from './contenders.ts'
import type { FiguresOf, Work } from './measured-process.ts'
import { median } from './median.ts'

interface Entry<W extends Work> {
  readonly work: W
  readonly contender: ContenderName
  readonly size: number
  readonly figures: FiguresOf[W]
}

/** The figures of all rounds. */
export class Figures {
  readonly #entries: Entry<Work>[] = []

  add<W extends Work>(work: W, contender: ContenderName, size: number, figures: FiguresOf[W]): void {
    this.#entries.push({ work, contender, size, figures })
  }

  /** Returns the median of all rounds; `NaN` if there is no such figure. */
  of<W extends Work>(
    work: W,
    contender: ContenderName,
    size: number,
    figure: keyof FiguresOf[W] & string,
  ): number {
    const values = this.#of(work, contender, size).map((figures) => figures[figure] as number)
    // A median must not leave out a wait without end.
    if (values.includes(Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY
    return median(values)
  }

  /** Returns the run with the largest figure, for what must not happen even once. */
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

  /** Returns the median of the ratios to the baseline of the same round, as a disturbance affects both. */
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
