/** Returns a table whose first column is text and whose others are numbers. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [head, ...lines]
  const widths = head.map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length)))
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [row(head), rule, ...lines.map(row)].join('\n')
}

/** Returns a whole number with groups of three digits. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ')
}

/** Returns a number with one decimal. */
export function one(value: number): string {
  return value.toFixed(1)
}
