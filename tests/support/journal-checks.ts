import { expect } from 'vitest'
import type { JournalLine } from './journal.ts'

/** The lines of one kind, by the life of a session that they speak of. */
export function byIncarnation(
  lines: readonly JournalLine[],
  what: JournalLine['what'],
): Map<string, JournalLine[]> {
  const found = new Map<string, JournalLine[]>()
  for (const line of lines) {
    if (line.what !== what || line.incarnation === undefined) continue
    const known = found.get(line.incarnation)
    if (known === undefined) found.set(line.incarnation, [line])
    else known.push(line)
  }
  return found
}

/** Returns saved incarnations that were not archived, or without their last acknowledged save. */
export function lostIn(lines: readonly JournalLine[]): JournalLine[] {
  const archived = byIncarnation(lines, 'archived')
  const lost: JournalLine[] = []
  for (const [incarnation, saves] of byIncarnation(lines, 'saved')) {
    const last = Math.max(...saves.map(({ n = 0 }) => n))
    const copies = archived.get(incarnation) ?? []
    const isComplete = copies.length > 0 && copies.every(({ n = 0 }) => n >= last)
    if (!isComplete) lost.push(saves[0] as JournalLine)
  }
  return lost
}

/** Returns incarnations archived more than once outside these processes; a suspended one may come last. */
export function doubledIn(lines: readonly JournalLine[], unlucky: readonly number[]): JournalLine[][] {
  return [...byIncarnation(lines, 'archived').values()].filter(
    (copies) => copies.filter(({ pid }) => !unlucky.includes(pid)).length > 1,
  )
}

/** Returns the lines of ids that had two archives in progress at once. */
export function overlapsIn(lines: readonly JournalLine[]): JournalLine[][] {
  const underWay = new Map<string, JournalLine>()
  const overlaps: JournalLine[][] = []
  for (const line of lines) {
    if (line.id === undefined) continue
    if (line.what === 'archiving') {
      const other = underWay.get(line.id)
      if (other !== undefined) overlaps.push(lines.filter(({ id }) => id === line.id))
      underWay.set(line.id, line)
    }
    if (line.what === 'archived' || line.what === 'gave up') underWay.delete(line.id)
  }
  return overlaps
}

/** Returns ids whose incarnations were archived in another order than they began. */
export function outOfOrderIn(lines: readonly JournalLine[]): string[] {
  const newest = new Map<string, number>()
  const found = new Set<string>()
  for (const { what, id, createdAt } of lines) {
    if (what !== 'archived' || id === undefined || createdAt === undefined) continue
    if (createdAt < (newest.get(id) ?? 0)) found.add(id)
    newest.set(id, createdAt)
  }
  return [...found]
}

/**
 * Checks the invariants: each incarnation begins once, and emits its end at most once, after its archive.
 */
export function expectOneEndEach(lines: readonly JournalLine[]): void {
  const begun = byIncarnation(lines, 'created')
  expect([...begun.values()].filter(({ length }) => length > 1)).toEqual([])
  const ended = byIncarnation(lines, 'ended')
  expect([...ended.values()].filter(({ length }) => length > 1)).toEqual([])
  const archived = byIncarnation(lines, 'archived')
  expect([...ended.keys()].filter((incarnation) => !archived.has(incarnation))).toEqual([])
}
