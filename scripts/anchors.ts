/**
 * Returns the anchor of a heading as GitHub makes it, which the site uses too. Of several equal headings the
 * second has `-1` appended, and so on.
 */
export function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')
}

/** Returns the anchors of a document: of its headings, and of `id` attributes in HTML. */
export function anchorsOf(document: string): string[] {
  const text = withoutCodeBlocks(document)
  const times = new Map<string, number>()
  const ofHeadings = Array.from(text.matchAll(/^#{1,6} (.+)$/gm), ([, heading = '']) => {
    // Of a link or a picture only the text counts.
    const slug = slugOf(heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1'))
    const time = times.get(slug) ?? 0
    times.set(slug, time + 1)
    return time === 0 ? slug : `${slug}-${time}`
  })
  return [...ofHeadings, ...Array.from(text.matchAll(/<\w+[^>]* id="([^"]+)"/g), ([, id = '']) => id)]
}

/** Returns a document without its code blocks. */
export function withoutCodeBlocks(document: string): string {
  return document.replaceAll(/^([ >]*)(`{3,}|~{3,})[\s\S]*?^\1\2.*$/gm, '')
}
