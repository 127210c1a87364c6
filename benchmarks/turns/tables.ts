import { count, one, table } from '../markdown-table.ts'
import { median } from '../median.ts'
import type { ContenderName } from './contenders.ts'
import type { TurnWork } from './measure.ts'

/** The figures of one round. */
export type Round = ReadonlyMap<ContenderName, number>

function medianOf(rounds: readonly Round[], figure: (round: Round) => number): number {
  return median(rounds.map(figure))
}

function of(round: Round, name: ContenderName): number {
  return round.get(name) ?? Number.NaN
}

/** Returns nanoseconds of each contender for each work, and the ratio to async-lock in the same round. */
export function turnTable(
  works: Readonly<Record<TurnWork, readonly ContenderName[]>>,
  rounds: readonly ReadonlyMap<TurnWork, Round>[],
): string {
  const names = [...new Set(Object.values(works).flat())]
  const columns = Object.keys(works) as TurnWork[]
  const lines = names.map((name) => [
    name,
    ...columns.map((work) => {
      if (!works[work].includes(name)) return '–'
      const all = rounds.flatMap((round) => round.get(work) ?? [])
      const ratio = medianOf(all, (round) => of(round, name) / of(round, 'async-lock'))
      const ns = count(medianOf(all, (round) => of(round, name)))
      return Number.isNaN(ratio) ? ns : `${ns} (${ratio.toFixed(2)} ×)`
    }),
  ])
  return table(['a turn, ns', ...columns], lines)
}

/** Returns microseconds of a request, and what each contender adds to the bare `Map` in the same round. */
export function httpTable(
  names: readonly ContenderName[],
  plain: readonly Round[],
  busy: readonly Round[],
): string {
  const text = (rounds: readonly Round[], name: ContenderName) => {
    const more = medianOf(rounds, (round) => of(round, name) - of(round, 'bare Map'))
    return `${one(medianOf(rounds, (round) => of(round, name)))} (${more < 0 ? '' : '+'}${one(more)})`
  }
  const lines = names.map((name) => [name, text(plain, name), text(busy, name)])
  return table(['a request, µs', 'alone', 'with promises'], lines)
}
