import type { Packed } from './packed.ts'

/**
 * A packed value in two parts: its words, and the numbers, dates and ids among them.
 *
 * For what differs from step to step in nothing but those, as the heads of checkpoints do: they share their
 * words.
 */
export interface TemplatedText {
  readonly type: string
  readonly isBinary: boolean
  /** The words, with a mark wherever something is to be filled in. */
  readonly template: string
  /** What is to be filled in, separated by commas; `undefined` where the template is the text. */
  readonly filling: string | undefined
}

/** Stands where something is filled in. No JSON has it. */
const mark = '\0'

/** Longer texts hold more than numbers, and hardly two are alike. */
const maxLength = 16_384

/** Returns a packed value in two parts. `others`: of one whose words are equal the words are shared. */
export function toTemplated(
  { type, isBinary, text }: Packed,
  others: readonly TemplatedText[],
): TemplatedText {
  if (isBinary || text.length > maxLength || text.includes(mark)) {
    return { type, isBinary, template: text, filling: undefined }
  }
  const filling: string[] = []
  // Numbers, dates, UUIDs and hashes: what has a digit, with the letters that a hexadecimal number has.
  const template = text.replaceAll(/[\da-f-]+/g, (run) => {
    if (!/\d/.test(run)) return run
    filling.push(run)
    return mark
  })
  const equal = others.find((other) => other.template === template)
  return { type, isBinary, template: equal?.template ?? template, filling: filling.join() }
}

/** Undoes {@link toTemplated}. */
export function readTemplated({ type, isBinary, template, filling }: TemplatedText): Packed {
  if (filling === undefined) return { type, isBinary, text: template }
  const values = filling.split(',')
  const [first = '', ...words] = template.split(mark)
  return { type, isBinary, text: words.reduce((text, one, index) => `${text}${values[index]}${one}`, first) }
}
