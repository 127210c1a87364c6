import { readFile } from 'node:fs/promises'

/**
 * Returns the sections of a results file, one for each Node, newest first: those just measured, and of the
 * other Nodes those that the file has already.
 */
export async function nodeSections(file: URL, measured: readonly string[]): Promise<string[]> {
  const before = await readFile(file, 'utf8').catch(() => '')
  const sections = new Map<number, string>()
  for (const section of [...before.split(/^(?=## Node v)/m).slice(1), ...measured]) {
    sections.set(majorOf(section), section.trim())
  }
  return [...sections].sort(([a], [b]) => b - a).map(([, section]) => section)
}

function majorOf(section: string): number {
  return Number(/^## Node v(\d+)/.exec(section)?.[1])
}
