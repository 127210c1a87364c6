import { read } from './tracked-files.ts'

/** A section of a page, or a whole page. */
export interface Place {
  readonly page: string
  /** The heading of the section, without its `#`; it reaches to the next heading that is not below it. */
  readonly heading?: string
}

/**
 * Where the documents describe what tests compare with the code: the one list to change when a table or a
 * page moves.
 */
export const documentedAt = {
  /** The table of the options of the registry of one process. */
  options: { page: 'docs/options.md' },
  /** The table of the options of the registry on Redis, with the sentence before it. */
  redisOptions: { page: 'docs/redis.md', heading: 'Options' },
  /** The pages that together name each public member, statistic, event and reason. */
  members: ['docs/sessions.md'],
  /** The pages that together name each public member of the registry on Redis. */
  redisMembers: ['docs/redis.md'],
  /** A section for each error code, and the table of their HTTP statuses. */
  errors: 'docs/errors.md',
  /** The tables that have a row for each error code. */
  errorTables: [{ page: 'docs/errors.md' }],
  /** The tables of log lines, of contained failures and of fields. */
  logLines: 'docs/logging.md',
  /** The folders and files of the source. */
  architecture: 'docs/design/architecture.md',
  /** The commands that the scripts send to Redis. */
  redisCommands: 'docs/redis.md',
} as const satisfies Record<string, string | Place | readonly (string | Place)[]>

/** Returns the text of a place. */
export function textAt({ page, heading }: Place): string {
  const text = read(page)
  if (heading === undefined) return text
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'))
  if (start < 0) throw new Error(`Expected the heading ${heading} in ${page}, got none`)
  const depth = depthOf(lines[start] ?? '')
  const length = lines.slice(start + 1).findIndex((line) => depthOf(line) > 0 && depthOf(line) <= depth)
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n')
}

/** The level of a heading, 0 for any other line. */
function depthOf(line: string): number {
  return /^#+(?= )/.exec(line)?.[0].length ?? 0
}
