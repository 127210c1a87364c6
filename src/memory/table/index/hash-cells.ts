// Apart from where they are used: the build puts a constant into its place only if no import stands above it.

/** A segment has two to the power of this of cells. */
export const cellBits = 13
export const cellMask = (1 << cellBits) - 1

/** How far from its own cell an entry may be: so many numbers come with a few looks at the memory. */
export const maxProbes = 64

/** Fuller than this, what is looked for is no longer found at once. */
export const maxCount = (1 << cellBits) * 0.625

/** Two that have no more than this between them may become one, which can then more than double before it is split. */
export const maxCountToMerge = (1 << cellBits) * 0.25
