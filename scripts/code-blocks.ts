/** A code block of a document, with the comment before it that names the file shown. */
const block = /^(?:<!-- (\S+) -->\n)?```(ts|js)\n([\s\S]*?)^```$/gm

export interface CodeBlock {
  /**
   * The file, with `#region` if only a region of it is shown; `undefined` if the comment is missing.
   */
  readonly source: string | undefined
  readonly code: string
}

/** The beginning of any block in the languages of the examples, whatever its indentation and its options. */
const fence = /^[ >]*(?:```+|~~~+) *(?:[mc]?[tj]sx?|typescript|javascript)\b.*$/gim

/**
 * Returns the first lines of blocks of TypeScript or JavaScript that {@link codeBlocks} does not find: they
 * are indented, or begin with another word than `ts` or `js`.
 */
export function unreadableBlocks(document: string): string[] {
  return Array.from(document.replaceAll(block, '').matchAll(fence), ([line]) => line)
}

/** Returns the TypeScript and JavaScript blocks of a document. */
export function codeBlocks(document: string): CodeBlock[] {
  return Array.from(document.matchAll(block), ([, source, , code = '']) => ({ source, code }))
}

/**
 * Returns the part of a file that a block shows: the whole file, or the lines between `// #region name` and
 * `// #endregion name`.
 */
export function shownPart(file: string, region: string | undefined): string {
  if (region === undefined) return file
  const lines = file.split('\n')
  const start = lines.indexOf(`// #region ${region}`)
  const end = lines.indexOf(`// #endregion ${region}`)
  if (start < 0 || end < start) throw new Error(`there is no region ${region}`)
  return `${lines.slice(start + 1, end).join('\n')}\n`
}

/** Returns the document with every block that names a file replaced by that file. */
export async function fillCodeBlocks(
  document: string,
  read: (path: string) => Promise<string>,
): Promise<string> {
  const files = new Map<string, string>()
  for (const { source } of codeBlocks(document)) {
    if (source === undefined) continue
    const [path = '', region] = source.split('#')
    files.set(source, shownPart(await read(path), region))
  }
  return document.replaceAll(block, (whole, source: string | undefined, language: string) =>
    source === undefined ? whole : `<!-- ${source} -->\n\`\`\`${language}\n${files.get(source) ?? ''}\`\`\``,
  )
}
