/** A pause after the first failed try; doubled after each further one. Long enough for a hiccup, short for a person. */
const firstBackoffMs = 100

/** The longest pause: a store that is down for an hour is not asked more often than it can bear. */
const maxBackoffMs = 30_000

/** The longest pause while the registry closes: there is not much time left to find the store up again. */
const maxClosingBackoffMs = 1_000

/** Returns how long to wait after a failed try, with jitter, so that many that failed together do not come back together. */
export function archiveBackoffMs(
  attempt: number,
  { isAwaited, isClosing }: { readonly isAwaited: boolean; readonly isClosing: boolean },
): number {
  const limitMs = isAwaited ? firstBackoffMs : isClosing ? maxClosingBackoffMs : maxBackoffMs
  return Math.min(firstBackoffMs * 2 ** (attempt - 1), limitMs) * (0.5 + Math.random() / 2)
}
