import { PGlite } from '@electric-sql/pglite'
import { postgresStore } from 'session-registry/stores/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uniqueTable } from '../support/postgres-suite.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { describeStore } from './describe-store.ts'

let lite: PGlite

// An instance takes seconds and half a gigabyte: one for all tests, and a table for each.
beforeAll(async () => {
  lite = await PGlite.create()
}, 120_000)

afterAll(() => lite?.close())

describeStore('PGlite', () => postgresStore(lite, { table: uniqueTable() }))

describe('a postgres store: PGlite', () => {
  it('makes a schema with its table', async () => {
    const session = storedSession()
    const store = postgresStore(lite, { schema: 'Chats', table: 'Live' })
    await store.put(session, replacing(null))

    expect(await store.get('ada', context())).toEqual(session)
    const { rows } = await lite.query('SELECT count(*)::int AS n FROM "Chats"."Live"')
    expect(rows).toEqual([{ n: 1 }])
  })

  it('is part of a transaction that the application has begun', async () => {
    const store = postgresStore(lite, { table: uniqueTable() })
    await store.get('ada', context())
    await lite.query('BEGIN')
    await store.put(storedSession(), replacing(null))
    await lite.query('ROLLBACK')

    expect(await store.get('ada', context())).toBeUndefined()
  })

  it('rejects when it is closed', async () => {
    const closing = { query: () => Promise.reject(new Error('PGlite is closed')) }

    await expect(postgresStore(closing).get('ada', context())).rejects.toThrow('PGlite is closed')
  })
})
