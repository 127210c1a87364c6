import { expect, it } from 'vitest'
import { setMember } from '../../src/core/values/set-member.ts'

it.each(['a', '__proto__', 'constructor'])('setMember: sets an ordinary own property: %s', (key) => {
  const target = {}
  setMember(target, key, { polluted: true })
  setMember(target, key, 'again')

  expect(Object.getOwnPropertyDescriptor(target, key)).toEqual({
    value: 'again',
    writable: true,
    enumerable: true,
    configurable: true,
  })
  expect(Object.getPrototypeOf(target)).toBe(Object.prototype)
})
