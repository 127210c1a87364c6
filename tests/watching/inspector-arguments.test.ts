import { inspector } from 'session-registry/inspector'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { inspectorOf, pageUrl } from '../support/inspector-requests.ts'
import { pollute } from '../support/pollute.ts'
import { sessionError, thrownBy } from '../support/session-error.ts'

describe('inspector(): its arguments', () => {
  const authorize = () => true

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [7, 'a number'],
    ['secret', 'a string'],
    [{}, 'an object'],
    [[{}], 'an object'],
    [[undefined], 'undefined'],
  ])('refuses %j as registries, and names the kind of thing', (registries, kind) => {
    const error = thrownBy(() => inspector(registries as never, { authorize })) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toBe(`Expected \`registries\` to be an array of session registries, got ${kind}`)
  })

  it.each([
    [undefined, /`authorize` to be a function, got undefined/],
    [{}, /`authorize` to be a function, got undefined/],
    [{ authorize: true }, /`authorize` to be a function, got a boolean/],
    [{ authorize, endSessions: 'yes' }, /`endSessions` to be a boolean, got a string/],
    [{ authorize, endSession: true }, /got `endSession`; did you mean `endSessions`\?/],
    [null, /`options` to be an object, got null/],
  ])('refuses %j as options', (options, message) => {
    const error = thrownBy(() => inspector([], options as never)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toMatch(message)
  })

  it('takes neither option from a polluted prototype', async () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    pollute({ authorize, endSessions: true })
    expect(thrownBy(() => inspector(registry, {} as never))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
    const { end } = inspectorOf(registry)

    expect((await end(registry.ref('a'))).status).toBe(403)
  })

  it('takes one registry, an array of them, and an empty one', async () => {
    const { registry } = clockedRegistry({ name: 'chats' })
    for (const given of [registry, [registry]])
      expect((await inspectorOf(given).snapshot()).registries.map(({ name }) => name)).toEqual(['chats'])

    expect((await inspectorOf([]).snapshot()).registries).toEqual([])
    expect((await inspectorOf([]).handler(new Request(pageUrl))).status).toBe(200)
  })

  it('takes the list as it is at the call', async () => {
    const registries = [clockedRegistry().registry]
    const { snapshot } = inspectorOf(registries)
    registries.length = 0

    expect((await snapshot()).registries).toHaveLength(1)
  })
})

describe('close()', () => {
  it('ends the subscriptions, once, and the page goes on', async () => {
    const { registry } = clockedRegistry({ name: 'closed inspector' })
    const { handler, first } = inspectorOf(registry)
    registry.set('ada', []).delete('ada')
    handler.close()
    handler.close()
    registry.set('ada', []).delete('ada')
    registry.set('ben', [])

    expect(await first()).toMatchObject({ endsByReason: { deleted: 1 }, stats: { size: 1 } })
  })
})
