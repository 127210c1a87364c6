import { basename, dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf, withoutCodeBlocks } from '../../scripts/anchors.ts'
import { pages } from '../../scripts/pages.ts'
import { code, documents, files, read } from './tracked-files.ts'

/** The targets of the links and pictures of a document, without those of other sites. */
function linksOf(path: string): string[] {
  const text = withoutCodeBlocks(read(path)).replaceAll(/`[^`\n]*`/g, '')
  const inline = Array.from(text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g), ([, link = '']) => link)
  const defined = Array.from(text.matchAll(/^\[[^\]]+\]: +(\S+)/gm), ([, link = '']) => link)
  const ofFrontMatter = Array.from(text.matchAll(/^ +link: (\S+)$/gm), ([, link = '']) => link)
  const html = Array.from(text.matchAll(/ (?:href|src|srcset)="([^"]+)"/g), ([, link = '']) => link)
  return [...inline, ...defined, ...ofFrontMatter, ...html].filter((link) => !/^(https?|mailto):/.test(link))
}

/** The file that a link of a document leads to. */
function targetOf(path: string, link: string): string {
  const [file = ''] = link.split('#')
  return file === '' ? path : normalize(join(dirname(path), decodeURIComponent(file)))
}

const exists = (path: string) =>
  files.includes(path) || files.some((file) => file.startsWith(path.endsWith('/') ? path : `${path}/`))

describe('the links of a document', () => {
  it.each(documents)('lead to files and headings that exist: %s', (path) => {
    const broken = linksOf(path).filter((link) => {
      const target = targetOf(path, link)
      const [, anchor] = link.split('#')
      return !exists(target) || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor))
    })

    expect(broken).toEqual([])
  })

  it.each(pages.filter((path) => basename(path) !== 'index.md'))('lead to each page: %s', (page) => {
    const linking = documents.filter(
      (path) => path !== page && linksOf(path).some((link) => targetOf(path, link) === page),
    )

    expect(linking).not.toEqual([])
  })

  it('are found in every form', () => {
    const found = documents.flatMap(linksOf)

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
