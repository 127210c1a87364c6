import { findRedis, findRedisProgram, howToGetRedis } from './redis-source.ts'

/** Says once per run, and loudly, which tests on Redis are skipped; in CI that is a failure. */
export default function announceMissingRedis(): void {
  if (findRedisProgram() !== undefined) return
  const what = findRedis() === undefined ? 'the tests on Redis' : 'the tests that need a Redis of their own'
  const line = `SKIPPED: ${what}; to have them run, ${howToGetRedis}`
  const { CI_REQUIRE_REDIS } = process.env
  if (CI_REQUIRE_REDIS === '1') throw new Error(line)
  console.warn(`\n${line}\n`)
}
