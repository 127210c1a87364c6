import { inspect } from 'node:util'
import { pino, stdSerializers } from 'pino'
import { SessionRegistryError } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { documentedAt } from '../repo/documented-at.ts'
import { read } from '../repo/tracked-files.ts'

describe('the status of an error', () => {
  const error = new SessionRegistryError('ERR_SESSION_BUSY', 'Expected peace, got a turn', {
    cause: new Error('the cause'),
  })

  it('matches the table of the page on errors, for each code', () => {
    const text = read(documentedAt.errors)
    const rows = Array.from(text.matchAll(/^\| +(\d+) \| (.+) \|$/gm), ([, status, names = '']) => ({
      status: Number(status),
      codes: Array.from(names.matchAll(/`(\w+)`/g), ([, name]) => `ERR_SESSION_${name}`),
    }))
    const codes = Array.from(text.matchAll(/^## (ERR_\w+)$/gm), ([, code = '']) => code)
    const documented = codes.map((code) => rows.find((row) => row.codes.includes(code))?.status ?? 500)
    const actual = codes.map((code) => new SessionRegistryError(code as 'ERR_SESSION_BUSY', ''))

    expect(codes.length).toBeGreaterThan(15)
    expect(rows.flatMap((row) => row.codes).filter((code) => !codes.includes(code))).toEqual([])
    expect(actual.map(({ statusCode }) => statusCode)).toEqual(documented)
    expect(actual.map(({ status }) => status)).toEqual(documented)
  })

  it('is not printed by JSON, `inspect` or pino', () => {
    const lines: string[] = []
    pino({ base: null }, { write: (line: string) => void lines.push(line) }).error({ err: error }, 'failed')
    const logged = JSON.parse(lines[0] ?? '{}') as { err: object }

    expect(JSON.stringify(error)).toBe('{"code":"ERR_SESSION_BUSY"}')
    expect(inspect(error)).toMatch(/^SessionRegistryError: Expected peace, got a turn\n/)
    expect(inspect(error)).not.toMatch(/status(Code)?:/)
    expect(Object.keys(logged.err).toSorted()).toEqual(['code', 'message', 'stack', 'type'])
    expect(Object.keys(stdSerializers.errWithCause(error))).not.toContain('status')
  })

  it('can be assigned, as middleware does', () => {
    const own = new SessionRegistryError('ERR_SESSION_BUSY', '')
    Object.assign(own, { status: 423, statusCode: 423 })

    expect([own.status, own.statusCode]).toEqual([423, 423])
    expect(new SessionRegistryError('ERR_SESSION_BUSY', '').status).toBe(409)
  })
})
