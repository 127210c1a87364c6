import { describe, expect, it } from 'vitest'
import { groups } from '../../docs/.vitepress/groups.ts'
import { firstSentence, llmsText } from '../../scripts/llms-text.ts'
import { pages, documents as userDocuments } from '../../scripts/pages.ts'
import { isCopied } from '../../scripts/site/site-files.ts'
import { linksOf } from '../support/document-links.ts'
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

describe('llms.txt', () => {
  it('is that of the documents: `npm run fix:docs` makes it', () => {
    expect(read('llms.txt')).toBe(llmsText(read))
  })

  it('lists each document of the package for users', () => {
    const links = linksOf(read('llms.txt'))

    expect(links).toEqual(expect.arrayContaining(userDocuments.filter((path) => path !== 'docs/index.md')))
  })

  it('has the first sentence of each page, without links', () => {
    expect(
      firstSentence('# Title\n\n<!-- x -->\n```ts\ncode.\n```\n\nUse [it](x.md) for\n0.1 things. More.'),
    ).toBe('Use it for 0.1 things.')
    expect(firstSentence('---\nname: x\n---\n\n# Title\n\nOne line')).toBe('One line')
  })
})
