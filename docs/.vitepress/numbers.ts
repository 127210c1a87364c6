import type { MarkdownRenderer } from 'vitepress'

/** A rule of markdown-it that keeps a line from ending inside a number such as 30 000. */
export function unbrokenNumbers(md: MarkdownRenderer): void {
  md.core.ruler.push('unbroken-numbers', ({ tokens }) => {
    for (const { children } of tokens) {
      for (const token of children ?? []) {
        if (token.type === 'text')
          token.content = token.content.replaceAll(/(?<=\d) (?=\d{3}(?!\d))/g, '\u00a0')
      }
    }
  })
}
