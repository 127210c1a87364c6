import { storeContract } from 'session-registry/testing'
import { MapStore } from './stores/map-store.ts'

// In a test file: `for (const { name, run } of storeContract(…)) test(name, run)`, with the runner of your
// choice.
for (const { name, run } of storeContract(() => new MapStore())) {
  await run().catch((error) => {
    throw new Error(`${name}: ${error.message}`)
  })
}
console.log('the store passes every check')
