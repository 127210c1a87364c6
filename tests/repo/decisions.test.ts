import { expect, it } from 'vitest'
import { read } from './tracked-files.ts'

/** Headings below the sections that only group entries, or show what was measured. */
const withoutParts = ['Goals and results', 'LangChain', 'LangGraph', 'OpenAI Agents and the AI SDK']

it('docs/design/decisions.md: each entry has a decision, why, its cost and what was rejected', () => {
  const entries = read('docs/design/decisions.md')
    .split(/^(?=#{2,4} )/m)
    .filter((entry) => /^#{3,4} /.test(entry))
    .map((entry) => [
      /^#+ (.+)/.exec(entry)?.[1] ?? '',
      Array.from(entry.matchAll(/^- \*\*(\w+)\.\*\* \S/gm), ([, part]) => part).join(', '),
    ])
  const incomplete = entries.filter(([, parts]) => parts !== 'Decision, Why, Cost, Rejected')

  expect(entries.length).toBeGreaterThan(100)
  expect(incomplete.map(([title]) => title)).toEqual(withoutParts)
})
