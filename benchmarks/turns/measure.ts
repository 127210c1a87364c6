import process from 'node:process'
import { type ContenderName, type Exclusive, openContender, type Value } from './contenders.ts'

// The program that main.ts runs in a process for each reading: `measure.js <work> <contender>` prints the
// nanoseconds of CPU time of one turn.

const turns = 200_000
const warmUps = 40_000
const together = 100

const count = (value: Value) => {
  value.count += 1
}

const works = {
  /** One turn after another. */
  idle: async (exclusive: Exclusive, amount: number) => {
    for (let turn = 0; turn < amount; turn += 1) await exclusive('session', count)
  },
  /** All but one of a hundred turns wait. */
  waiting: async (exclusive: Exclusive, amount: number) => {
    for (let turn = 0; turn < amount; turn += together) {
      const all: Promise<void>[] = []
      for (let index = 0; index < together; index += 1) all.push(exclusive('session', count))
      await Promise.all(all)
    }
  },
  /** A turn of one session in a turn of another: two turns. */
  'nested in another session': async (exclusive: Exclusive, amount: number) => {
    const inner = () => exclusive('inner', count)
    for (let turn = 0; turn < amount; turn += 2) await exclusive('outer', inner)
  },
  /** A turn in a turn of the same session: two turns. */
  'nested in the same session': async (exclusive: Exclusive, amount: number) => {
    const inner = () => exclusive('session', count)
    for (let turn = 0; turn < amount; turn += 2) await exclusive('session', inner)
  },
} satisfies Record<string, (exclusive: Exclusive, amount: number) => Promise<void>>

export type TurnWork = keyof typeof works

async function turnNs(work: TurnWork, contender: ContenderName): Promise<number> {
  const { exclusive } = await openContender(contender)
  await works[work](exclusive, warmUps)
  const before = process.cpuUsage()
  await works[work](exclusive, turns)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / turns
}

const [work, contender] = process.argv.slice(2) as [TurnWork, ContenderName]
console.log(await turnNs(work, contender))
