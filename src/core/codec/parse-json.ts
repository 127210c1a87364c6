/**
 * `JSON.parse`, with an error that shows nothing of the text: V8's own message quotes it, and it is a
 * conversation.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch (error) {
    // `BigInt` in a reviver throws one too. Other errors of a reviver pass unchanged.
    throw error instanceof SyntaxError ? new SyntaxError('The text is not valid JSON') : error
  }
}
