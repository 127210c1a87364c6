/** Returns the result of a call, and how often the event loop iterated until then. */
export async function countIterations<R>(
  call: () => Promise<R>,
): Promise<{ readonly result: R; readonly iterations: number }> {
  let iterations = 0
  let isDone = false
  const iterate = () => {
    if (isDone) return
    iterations += 1
    setImmediate(iterate)
  }
  setImmediate(iterate)
  try {
    return { result: await call(), iterations }
  } finally {
    isDone = true
  }
}
