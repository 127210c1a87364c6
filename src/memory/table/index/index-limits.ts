// Apart from where they are used: the build puts a constant into its place only if no import stands above it.

/** Up to here one `Map` is the fastest, as V8 keeps the hash of a string with it; it grows within a few milliseconds. */
export const maxInMap = 1 << 17

/** So few that going back is done at once, and far enough below that it does not happen again and again. */
export const minInHashIndex = 1 << 12

/**
 * So many are copied from the `Map` with each session that comes, until all are: a fifth of a millisecond each time. It is
 * soon over, and all at once is less work than here and there between others.
 */
export const migrationBatch = 512
