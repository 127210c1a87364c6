import { describe, expect, it } from 'vitest'
import { groups } from '../../docs/.vitepress/groups.ts'
import { pages } from '../../scripts/pages.ts'
import { isCopied } from '../../scripts/site/site-files.ts'
import { documents, read } from './tracked-files.ts'

const listed = groups.flatMap((group) => Object.keys(group.pages))

describe('the sidebar of the site', () => {
  it('has each page once, besides the start page', () => {
    const written = listed.filter((page) => !page.startsWith('project/')).map((page) => `docs/${page}.md`)

    expect(written.toSorted()).toEqual(pages.filter((page) => page !== 'docs/index.md').toSorted())
  })

  it('has only copies of files that exist besides them', () => {
    const copied = listed
      .filter((page) => page.startsWith('project/'))
      .map((page) => page.slice('project/'.length))
    const sources = copied.map((page) => (page === 'LICENSE' ? page : `${page}.md`))

    expect(sources.length).toBeGreaterThan(2)
    expect(sources.filter((path) => !isCopied(path) || read(path) === '')).toEqual([])
  })
})

describe('the front matter of a document', () => {
  it.each(documents.filter((path) => read(path).startsWith('---')))('has one key in a line: %s', (path) => {
    const [, head = ''] = /^---\n([\s\S]*?)\n---\n/.exec(read(path)) ?? []
    const lines = head.split('\n')

    expect(lines.length).toBeGreaterThan(1)
    expect(lines.filter((line) => !/^(?: *(?:- )?\w+:(?: .+)?| {2,}\S.*)$/.test(line))).toEqual([])
    expect(
      lines.filter((line) =>
        /\w+: .*[^"'`]\b(?:text|details|link|theme|title|name|description): /.test(line),
      ),
    ).toEqual([])
  })
})
