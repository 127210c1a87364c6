// Taken when the module loads: fake timers, installed later, must not stop it.
const realSetImmediate = setImmediate

/** Lets every promise settle that needs no passing of time. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise<void>((resolve) => {
      realSetImmediate(resolve)
    })
  }
}
