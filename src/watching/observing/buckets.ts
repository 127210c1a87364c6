/**
 * Upper bounds of the histograms of turns, and of their waits, in seconds: a model answers within seconds, a
 * turn with tools within minutes, and by default none takes longer than 20 minutes.
 */
export const turnBuckets: readonly number[] = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_200]

/** Those of attempts to archive, in seconds; by default one has 30 seconds. */
export const archiveBuckets: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]
