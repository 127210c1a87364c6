import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { findRedisProgram } from '../support/redis-source.ts'
import { describeOnRedis } from '../support/redis-suite.ts'

const run = promisify(execFile)

describeOnRedis('examples/two-processes.ts', (redis) => {
  it('continues the conversation of a server that was killed', { timeout: 60_000 }, async () => {
    const { REDIS_URL: _, ...env } = process.env
    // It can only start a redis-server; without one it gets the server of the tests.
    const startsItsOwn = basename(findRedisProgram() ?? '') === 'redis-server'
    const { stdout } = await run(process.execPath, ['--import', 'tsx', 'examples/two-processes.ts'], {
      env: startsItsOwn ? env : { ...env, REDIS_URL: redis.url },
      timeout: 50_000,
    })

    expect(stdout.split('\n')).toEqual([
      'first server:  you said: hello',
      'first server:  you said: hello, I am Ada',
      'the first server is killed',
      'second server: you said: hello, I am Ada, do you remember me?',
      '',
    ])
  })
})
