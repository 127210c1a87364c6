/** Returns all parts of a stream. */
export async function readAll<O>(stream: AsyncIterable<O>): Promise<O[]> {
  const chunks: O[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}
