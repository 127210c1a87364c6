import type { Packed } from './packed.ts'

/**
 * A packed value as a template and a filling: the numbers, dates and ids in it.
 *
 * For values that differ from step to step only in those, such as the heads of checkpoints: they share the
 * template.
 */
export interface TemplatedText {
  readonly type: string
  readonly isBinary: boolean
  /** The text, with a mark for each part of the filling. */
  readonly template: string
  /** The filling, separated by commas; `undefined` if the template is the whole text. */
  readonly filling: string | undefined
}

/** The mark in a template. JSON text cannot contain it. */
const mark = '\0'

/** Longest text with a template, in UTF-16 units: longer ones are hardly ever alike. */
const maxLength = 16_384

/**
 * Returns a packed value as a template and a filling. The template is shared with that of `others` if equal.
 */
export function toTemplated(
  { type, isBinary, text }: Packed,
  others: readonly TemplatedText[],
): TemplatedText {
  if (isBinary || text.length > maxLength || text.includes(mark)) {
    return { type, isBinary, template: text, filling: undefined }
  }
  const filling: string[] = []
  // Numbers, dates, UUIDs and hashes: runs of hexadecimal digits and hyphens with a decimal digit.
  const template = text.replaceAll(/[\da-f-]+/g, (run) => {
    if (!/\d/.test(run)) return run
    filling.push(run)
    return mark
  })
  const equal = others.find((other) => other.template === template)
  return { type, isBinary, template: equal?.template ?? template, filling: filling.join() }
}

/** Returns the packed value of {@link toTemplated}. */
export function readTemplated({ type, isBinary, template, filling }: TemplatedText): Packed {
  if (filling === undefined) return { type, isBinary, text: template }
  const values = filling.split(',')
  const [first = '', ...words] = template.split(mark)
  return { type, isBinary, text: words.reduce((text, one, index) => `${text}${values[index]}${one}`, first) }
}
