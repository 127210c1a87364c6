import { describe, expect, it } from 'vitest'
import { ownerText, readOwner } from '../../../src/redis/storage/owner-text.ts'

const owners = [
  'ada',
  'ada lace',
  '"ada"',
  '"',
  '\ud800',
  '\ud801',
  'a\udc00b',
  '\ufffd',
  '\0',
  '👩‍🚀',
  '\\ud800',
]

describe('the owner of a session, as Redis keeps it', () => {
  it.each(owners)('is read as it was given: %j', (owner) => {
    expect(readOwner(ownerText(owner))).toBe(owner)
  })

  it('is another text for another owner, lone surrogates included, after UTF-8 as well', () => {
    const texts = owners.map((owner) => Buffer.from(ownerText(owner)).toString('hex'))

    expect(new Set(texts).size).toBe(owners.length)
  })

  it('is the owner itself where UTF-8 can encode it, and empty where there is none', () => {
    expect(ownerText('ada lace')).toBe('ada lace')
    expect(ownerText(undefined)).toBe('')
    expect(readOwner('')).toBeUndefined()
  })
})
