import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Script } from '../../../src/redis/client/script.ts'

const folder = new URL('../../../src/redis/scripts/', import.meta.url)
const modules = await Promise.all(
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map(async (name): Promise<object> => import(new URL(name, folder).href)),
)
const scripts = modules
  .flatMap((module) => Object.values(module))
  .filter((exported): exported is Script => exported instanceof Script)

/** The commands and functions of Redis 6.2 in scripts. */
const commands =
  'DEL EXISTS GET HDEL HEXISTS HGET HINCRBY HMGET HSET INFO LRANGE PEXPIRE PEXPIREAT PTTL RPUSH SET TIME UNLINK ZADD ZCARD ZCOUNT ZMSCORE ZRANGE ZRANGEBYSCORE ZREM ZREMRANGEBYSCORE ZSCORE'.split(
    ' ',
  )

describe('the scripts', () => {
  it('are all found', () => {
    expect(scripts.length).toBeGreaterThan(12)
    expect(new Set(scripts.map(({ name }) => name)).size).toBe(scripts.length)
    expect(new Set(scripts.map(({ sha }) => sha)).size).toBe(scripts.length)
  })

  it.each(scripts)('use only commands of Redis 6.2, and neither KEYS nor SCAN: $name', ({ source }) => {
    const called = [...source.matchAll(/redis\.p?call\('(\w+)'/g)].map(([, command]) => command)

    expect(called.length).toBeGreaterThan(0)
    expect(called.filter((command) => !commands.includes(command ?? ''))).toEqual([])
    expect([...source.matchAll(/redis\.p?call\(/g)]).toHaveLength(called.length)
  })

  it.each(scripts)('use only declared keys: $name', ({ source }) => {
    const calls = [...source.matchAll(/redis\.call\('(\w+)'(?:, ([^,)]+\]?))?/g)]
    const undeclared = calls.filter(
      ([, command, key = '']) => command !== 'TIME' && !/^KEYS\[\w+\]$/.test(key) && key !== 'key',
    )

    expect(undeclared.map(([call]) => call)).toEqual([])
  })

  it.each(scripts)('pass keys to functions only as declared: $name', ({ source }) => {
    const handed = [
      ...source.matchAll(
        /\b(?:extendTtl|extendIndexTtl|cachedReply|cacheReply|allowWhenFull|hashKeyOf|readTombstone|keepTombstone|dropLapsed)\(([^,)]+)/g,
      ),
    ].map(([, key]) => key)

    // `key` is the name of the parameter in the functions themselves.
    expect(handed.filter((key = '') => key !== 'key' && !/^KEYS\[\d\]$/.test(key))).toEqual([])
  })

  it.each(scripts)('have only functions that they call: $name', ({ source }) => {
    const functions = [...source.matchAll(/^local function (\w+)/gm)].map(([, name = '']) => name)
    const uses = (name: string) => source.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0

    expect(functions).toContain('main')
    expect(functions.filter((name) => uses(name) < 2)).toEqual([])
  })
})

describe('a script', () => {
  const includes = `
local function ten()
  return 10
end
local function twice(value)
  return 2 * value
end
local function twenty()
  return twice(ten())
end
`

  it('has the functions that its body calls, and those that they call', () => {
    const { source } = new Script('test', includes, 'return twenty()')

    expect(source).toContain('function ten()')
    expect(source).toContain('function twice(')
    expect(source).toContain('function twenty()')
  })

  it('leaves out a function that nothing calls, and those that only it calls', () => {
    const { source } = new Script('test', includes, 'return ten()')

    expect(source).toContain('function ten()')
    expect(source).not.toContain('twice')
    expect(source).not.toContain('twenty')
  })
})
