import { findRedis, findRedisProgram, howToGetRedis } from './redis-source.ts'

const announced = Symbol.for('session-registry.tests.missing-redis')

/** Prints once per run which tests on Redis are skipped. In CI it fails the run instead. */
export default function announceMissingRedis(): void {
  if (findRedisProgram() !== undefined || Reflect.get(process, announced) === true) return
  const what = findRedis() === undefined ? 'the tests on Redis' : 'the tests that need a Redis of their own'
  const line = `SKIPPED: ${what}; to have them run, ${howToGetRedis}`
  const { CI_REQUIRE_REDIS } = process.env
  if (CI_REQUIRE_REDIS === '1') throw new Error(line)
  // Each project with tests on Redis runs this, and loads the file anew.
  Reflect.set(process, announced, true)
  console.warn(`\n${line}\n`)
}
