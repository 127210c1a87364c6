/**
 * `JSON.parse`, with an error that shows nothing of the text.
 *
 * V8's own message quotes what stands around the first wrong character, and that is somebody's conversation.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch (error) {
    // So does `BigInt` in a reviver. What else a reviver throws goes on as it is.
    throw error instanceof SyntaxError ? new SyntaxError('The text is not valid JSON') : error
  }
}
