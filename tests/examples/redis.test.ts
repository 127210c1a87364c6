import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeOnRedis } from '../support/redis-suite.ts'

const run = promisify(execFile)
const example = ['--import', 'tsx', 'examples/redis.ts']

describeOnRedis('examples/redis.ts', (redis) => {
  it('prints the history, and exits', { timeout: 60_000 }, async () => {
    const env = { ...process.env, REDIS_URL: redis.url }
    const { stdout } = await run(process.execPath, example, { env })

    expect(stdout).toBe("[ 'hello' ]\n")
  })

  it('prints what it needs if there is no server', { timeout: 60_000 }, async () => {
    const { REDIS_URL: _, ...env } = process.env

    await expect(run(process.execPath, example, { env })).rejects.toThrow('Set REDIS_URL')
  })
})
