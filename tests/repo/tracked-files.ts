import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})

/** The files of the repository, those that are not committed yet included. */
export const files: readonly string[] = listed.trim().split('\n')

export function read(path: string): string {
  return readFileSync(`${root}/${path}`, 'utf8')
}

export const sources = files.filter((path) => path.startsWith('src/'))
export const code = files.filter((path) => /\.(ts|mjs|cjs)$/.test(path))
export const documents = files.filter((path) => path.endsWith('.md'))
