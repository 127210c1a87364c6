import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf } from '../../scripts/anchors.ts'
import { pages } from '../../scripts/pages.ts'
import { isCopied } from '../../scripts/site/site-files.ts'
import { linksOf, targetOf } from '../support/document-links.ts'
import { code, documents, files, read } from './tracked-files.ts'

const exists = (path: string) =>
  files.includes(path) || files.some((file) => file.startsWith(path.endsWith('/') ? path : `${path}/`))

/** Reports whether the package contains a document; a test of the packed package compares the two. */
const isPacked = (path: string) => isCopied(path) || /^(docs\/|skills\/|README\.md$|llms\.txt$)/.test(path)

describe('the links of a document', () => {
  it.each(documents)('lead to files and headings that exist: %s', (path) => {
    const broken = linksOf(read(path)).filter((link) => {
      const target = targetOf(path, link)
      const [, anchor] = link.split('#')
      return !exists(target) || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor))
    })

    expect(broken).toEqual([])
  })

  it.each(documents.filter(isPacked))('lead to files of the package too: %s', (path) => {
    const targets = linksOf(read(path)).map((link) => targetOf(path, link))

    expect(targets.filter((target) => !isPacked(target))).toEqual([])
  })

  it.each(pages.filter((path) => basename(path) !== 'index.md'))('lead to each page: %s', (page) => {
    const linking = documents.filter(
      (path) => path !== page && linksOf(read(path)).some((link) => targetOf(path, link) === page),
    )

    expect(linking).not.toEqual([])
  })

  it('are found in every form', () => {
    const found = documents.flatMap((path) => linksOf(read(path)))

    expect(found.length).toBeGreaterThan(100)
    expect(found.filter((link) => link.includes('#')).length).toBeGreaterThan(30)
  })
})

describe('the anchors of a document', () => {
  it('are those of GitHub', () => {
    const document = [
      '# What is promised, and what not',
      '## `inspect()`',
      '## ERR_SESSION_BUSY',
      '## A [link](x.md) – and `code`',
      '## Options',
      '### Options',
      '```md',
      '# no heading',
      '```',
      '<a id="here"></a>',
    ].join('\n')

    expect(anchorsOf(document)).toEqual([
      'what-is-promised-and-what-not',
      'inspect',
      'err_session_busy',
      'a-link--and-code',
      'options',
      'options-1',
      'here',
    ])
  })
})

describe('the pages that code mentions', () => {
  it('exist', () => {
    const mentions = code.flatMap((path) =>
      Array.from(read(path).matchAll(/\bdocs\/[\w./-]+\.md\b/g), ([page]) => [path, page] as const),
    )

    expect(mentions.length).toBeGreaterThan(5)
    expect(mentions.filter(([, page]) => !files.includes(page))).toEqual([])
  })
})
