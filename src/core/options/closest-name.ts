/** The most letters by which a name may differ from the one that was meant. */
const maxDistance = 2

/** Longest name that is compared, in UTF-16 units: longer than every option with {@link maxDistance} more. */
const maxLength = 24

/**
 * Returns the known name that a name was probably meant to be; `undefined` if none is close.
 *
 * Close is what differs in the case of letters, in a missing `Ms`, or in at most two letters (one, in a name
 * of up to four letters).
 */
export function closestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > maxLength) return undefined
  const typed = name.toLowerCase()
  const most = typed.length > 4 ? maxDistance : 1
  let closest: string | undefined
  let least = most + 1
  for (const candidate of known) {
    const wanted = candidate.toLowerCase()
    const distance = wanted === `${typed}ms` ? 0.5 : editDistance(typed, wanted)
    if (distance < least) {
      closest = candidate
      least = distance
    }
  }
  return closest
}

/** The number of letters to insert, remove or replace to make one text the other. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1]
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[other.length] ?? 0
}
