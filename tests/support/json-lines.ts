import { appendFileSync, readFileSync } from 'node:fs'

/** Appends a line in one system call: it outlives the process, which may be killed at the next instant. */
export function appendJsonLine(path: string, line: unknown): void {
  appendFileSync(path, `${JSON.stringify(line)}\n`)
}

/** Returns the complete lines. Another process may be writing one: a reader can see the first half of it. */
export function readJsonLines<L>(path: string): L[] {
  const text = readFileSync(path, 'utf8')
  const complete = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return complete.filter((line) => line !== '').map((line) => JSON.parse(line) as L)
}
