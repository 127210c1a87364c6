import type { Packed } from './packed.ts'

/** Something of a checkpoint's head, which is itself without its id and values, and of its metadata. */
export type OfHeadAndMetadata<V> = readonly [head: V, metadata: V]

/** What packed values that differ only in numbers, dates and ids have in common. */
export interface Template {
  readonly type: string
  readonly isBinary: boolean
  /** The text, with a mark for each part of a filling. */
  readonly text: string
  /** The number of marks; 0 if this is the whole text. */
  readonly marks: number
}

/**
 * A packed head and metadata as templates and a filling: the numbers, dates and ids in them.
 *
 * They differ from step to step in little else, and share the templates.
 */
export interface TemplatedTexts {
  readonly templates: OfHeadAndMetadata<Template>
  /** The parts of the filling of both, separated by commas. */
  readonly filling: string
}

/** The mark in a template. JSON text cannot contain it. */
const mark = '\0'

/** Longest text with a template, in UTF-16 units: longer ones are hardly ever alike. */
const maxLength = 16_384

/** Returns packed values as templates and a filling. Templates are shared with those of `others` if equal. */
export function toTemplated(
  [head, metadata]: OfHeadAndMetadata<Packed>,
  others: readonly TemplatedTexts[],
): TemplatedTexts {
  const filling: string[] = []
  const share = (template: Template) =>
    others.flatMap(({ templates }) => templates).find((one) => isEqual(one, template)) ?? template
  const templates = [share(templateOf(head, filling)), share(templateOf(metadata, filling))] as const
  const equal = others.find((other) => other.templates.every((one, index) => one === templates[index]))
  return { templates: equal?.templates ?? templates, filling: filling.join() }
}

/** Returns the template of a value, and adds its filling. */
function templateOf({ type, isBinary, text }: Packed, filling: string[]): Template {
  if (isBinary || text.length > maxLength || text.includes(mark)) return { type, isBinary, text, marks: 0 }
  const before = filling.length
  // Numbers, dates, UUIDs and hashes: runs of hexadecimal digits and hyphens with a decimal digit.
  const template = text.replaceAll(/[\da-f-]+/g, (run) => {
    if (!/\d/.test(run)) return run
    filling.push(run)
    return mark
  })
  return { type, isBinary, text: template, marks: filling.length - before }
}

function isEqual(one: Template, other: Template): boolean {
  return (
    one.text === other.text &&
    one.type === other.type &&
    one.isBinary === other.isBinary &&
    one.marks === other.marks
  )
}

/** Returns the packed values of {@link toTemplated}. */
export function readTemplated(texts: TemplatedTexts): OfHeadAndMetadata<Packed> {
  const [head, metadata] = texts.templates
  const [headFilling, metadataFilling] = fillingsOf(texts)
  return [fill(head, headFilling), fill(metadata, metadataFilling)]
}

/** Returns the parts of the filling of each template. */
export function fillingsOf({ templates: [{ marks }], filling }: TemplatedTexts): OfHeadAndMetadata<string[]> {
  const parts = filling === '' ? [] : filling.split(',')
  return [parts.slice(0, marks), parts.slice(marks)]
}

function fill({ type, isBinary, text, marks }: Template, parts: readonly string[]): Packed {
  let next = 0
  return { type, isBinary, text: marks === 0 ? text : text.replaceAll(mark, () => parts[next++] ?? '') }
}

/** Returns the number of marks in the text of a template. */
export function marksIn(text: string): number {
  return text.split(mark).length - 1
}
