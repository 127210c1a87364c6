import { groups } from '../docs/.vitepress/groups.ts'
import { withoutCodeBlocks } from './anchors.ts'

type Read = (path: string) => string

/** Documents of the package that are not pages, each with what it is for. */
const others: Readonly<Record<string, readonly [title: string, purpose: string]>> = {
  'CHANGELOG.md': ['Changelog', 'What changed for users, by version.'],
  'SECURITY.md': [
    'Security',
    'What the library does for security, what it leaves to you, how to report a hole.',
  ],
  'benchmarks/README.md': ['Benchmarks', 'The method of the measurements.'],
}

/**
 * Returns `llms.txt`: a list of the documents in the package, with the first sentence of each. Its links are
 * relative to the package.
 */
export function llmsText(read: Read): string {
  const readme = read('README.md')
  const [title, , summary] = readme.split('\n')
  const start = [
    '- [README](README.md): What it is, how it compares, which entries it has.',
    `- [Skill](skills/session-registry/SKILL.md): Which call to use when, and the traps; read it before writing code.`,
  ]
  const sections = groups
    .map(({ text, pages }) => ({
      text,
      paths: Object.keys(pages).filter((page) => !page.startsWith('project/')),
    }))
    .filter(({ paths }) => paths.length > 0)
    .map(({ text, paths }) => [
      `## ${text}`,
      '',
      ...paths.map((page) => lineOf(`docs/${page}.md`, read(`docs/${page}.md`))),
      '',
    ])
  const optional = Object.entries(others).map(([path, [name, purpose]]) => `- [${name}](${path}): ${purpose}`)
  const lines = [
    title,
    '',
    `> ${summary}`,
    '',
    ...start,
    '',
    ...sections.flat(),
    '## Optional',
    '',
    ...optional,
  ]
  return `${lines.join('\n')}\n`
}

function lineOf(path: string, page: string): string {
  const title = plain(/^# (.+)$/m.exec(page)?.[1] ?? path)
  return `- [${title}](${path}): ${firstSentence(page)}`
}

/** Returns the first sentence of a page, which says what the page is for. */
export function firstSentence(page: string): string {
  const text = withoutCodeBlocks(page)
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/^# .+$/m, '')
  const paragraph = text.split(/\n{2,}/).find((part) => /^\s*[\w`[*]/.test(part)) ?? ''
  const line = plain(paragraph.trim().replaceAll(/\s*\n\s*/g, ' '))
  return /^.*?[.!?](?= |$)/.exec(line)?.[0] ?? line
}

/** Returns Markdown with the text of each link in its place. */
function plain(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
}
