import type { MarkdownRenderer } from 'vitepress'
import { targetOnSite } from '../../scripts/site/site-files.ts'

/**
 * A rule of markdown-it that leads relative links to where their targets are on the site.
 *
 * The pages are written for the repository and the package: some of their links leave `docs/`.
 */
export function siteLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('site-links', ({ tokens, env }) => {
    const page = (env as { relativePath?: string }).relativePath
    if (page === undefined) return
    for (const { children } of tokens) {
      for (const token of children ?? []) {
        const name = token.type === 'link_open' ? 'href' : token.type === 'image' ? 'src' : undefined
        const link = name === undefined ? null : token.attrGet(name)
        if (name === undefined || link === null || /^(?:[a-z]+:|[#/])/.test(link)) continue
        const target = targetOnSite(page, link)
        if (target === undefined)
          throw new Error(`Expected a link to a file of the site in ${page}, got ${link}`)
        // Pictures in `docs` are found from their page.
        if (name === 'href' || target.startsWith('project/')) token.attrSet(name, `/${target}`)
      }
    }
  })
}
