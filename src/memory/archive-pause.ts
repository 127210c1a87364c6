/** A pause after the first failed try; doubled after each further one. Long enough for a hiccup, short for a person. */
const firstPauseMs = 100

/** The longest pause: a store that is down for an hour is not asked more often than it can bear. */
const maxPauseMs = 30_000

/** The longest pause while the registry closes: there is not much time left to find the store up again. */
const maxClosingPauseMs = 1_000

/** Returns how long to wait after a failed try, with jitter, so that many that failed together do not come back together. */
export function archivePauseMs(
  attempt: number,
  { isAwaited, isClosing }: { readonly isAwaited: boolean; readonly isClosing: boolean },
): number {
  const longestMs = isAwaited ? firstPauseMs : isClosing ? maxClosingPauseMs : maxPauseMs
  return Math.min(firstPauseMs * 2 ** (attempt - 1), longestMs) * (0.5 + Math.random() / 2)
}
