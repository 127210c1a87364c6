// Taken when the module loads: fake timers, installed later, must not hold it up.
const realSetImmediate = setImmediate

/** Lets every promise that can settle without the passing of time do so. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise<void>((resolve) => {
      realSetImmediate(resolve)
    })
  }
}
