import { createHash } from 'node:crypto'
import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { deferred } from '../support/deferred.ts'
import { inspectorOf, pageUrl } from '../support/inspector-requests.ts'

describe('authorize', () => {
  const requests = [
    ['GET', ''],
    ['HEAD', ''],
    ['GET', '?snapshot'],
    ['POST', '?end=a&registry=0'],
    ['PUT', ''],
  ] as const

  it.each([
    ['returns false', () => false],
    ['returns a promise of false', async () => false],
    ['throws', () => Promise.reject(new Error('secret'))],
    [
      'throws at once',
      (): boolean => {
        throw new Error('secret')
      },
    ],
    ['returns nothing', (() => {}) as unknown as () => boolean],
    ['returns something that is not true', (() => ({ user: 'secret' })) as unknown as () => boolean],
    ['returns a response', (() => new Response(null, { status: 401 })) as unknown as () => boolean],
  ])('%s: every request is refused with 403, without a detail', async (_, authorize) => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    const { handler } = inspectorOf(registry, { authorize, endSessions: true })
    for (const [method, query] of requests) {
      const headers = { 'sec-fetch-site': 'same-origin' }
      const response = await handler(new Request(pageUrl + query, { method, headers }))
      expect([method, query, response.status]).toEqual([method, query, 403])
      expect(await response.text()).toBe('403\n')
    }
    expect(registry.has('a')).toBe(true)
  })

  it('is called with every request itself, and awaited', async () => {
    const asked: Request[] = []
    const answer = deferred<boolean>()
    const { handler } = inspectorOf(clockedRegistry().registry, {
      authorize: (request) => {
        asked.push(request)
        return answer.promise
      },
    })
    const sent = requests.map(([method, query]) => new Request(pageUrl + query, { method }))
    const responses = Promise.all(sent.map((request) => handler(request)))
    answer.resolve(true)

    expect((await responses).map(({ status }) => status)).toEqual([200, 200, 200, 403, 405])
    expect(asked).toEqual(sent)
  })
})

describe('every response', () => {
  it('is stored nowhere, framed nowhere, and may not be read by other sites', async () => {
    const { handler } = inspectorOf(clockedRegistry().registry)
    const requests = [
      new Request(pageUrl),
      new Request(`${pageUrl}?snapshot`),
      new Request(pageUrl, { method: 'POST' }),
      new Request(pageUrl, { method: 'DELETE' }),
    ]
    for (const request of requests) {
      const { headers } = await handler(request)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; .*connect-src 'self'; .*frame-ancestors 'none'$/,
      )
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  it('the page: one document without any other resource, whose script and style are those of its policy', async () => {
    const { get } = inspectorOf(clockedRegistry().registry)
    const response = await get()
    const html = await response.text()
    const policy = response.headers.get('content-security-policy') ?? ''
    const inline = [...html.matchAll(/<(script|style)(?: type="module")?>([\s\S]*?)<\/\1>/g)]
    const hashes = inline.map(([, tag, text]) => [
      tag,
      createHash('sha256')
        .update(text ?? '')
        .digest('base64'),
    ])

    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(inline).toHaveLength(2)
    for (const [tag, hash] of hashes) expect(policy).toContain(`${tag}-src 'sha256-${hash}'`)
    expect(html).not.toMatch(/https?:|src=|innerHTML|\son\w+=/)
  })

  it('the page: has the first snapshot in it, as data that cannot end its element', async () => {
    const name = '</script><script>alert(1)</script><!-- $& \u2028'
    const { registry } = clockedRegistry({ name })
    registry.set('a', [])
    const html = await (await inspectorOf(registry).get()).text()
    const [, data = ''] =
      /<script type="application\/json" id="snapshot">([\s\S]*?)<\/script>/.exec(html) ?? []

    expect(JSON.parse(data)).toMatchObject({ registries: [{ name, idle: [{ ref: registry.ref('a') }] }] })
    expect(html.match(/<script/g)).toHaveLength(2)
    expect(html).not.toContain('<!--')
  })

  it('HEAD is answered as GET, and another method with 405', async () => {
    const { handler } = inspectorOf(clockedRegistry().registry)
    const head = await handler(new Request(pageUrl, { method: 'HEAD' }))
    const put = await handler(new Request(pageUrl, { method: 'PUT' }))

    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
  })

  it.each(['/', '/admin/sessions', '/admin/sessions/', '/a/b/c?token=x'])(
    'is the same under %s',
    async (path) => {
      const { handler } = inspectorOf(clockedRegistry().registry)
      const url = new URL(path, 'https://example.com')
      const page = await handler(new Request(url))
      url.searchParams.set('snapshot', '')
      const snapshot = await handler(new Request(url))

      expect(await page.text()).toContain('<title>Session inspector</title>')
      expect(Object.keys((await snapshot.json()) as object)).toEqual(['sinceMs', 'endSessions', 'registries'])
    },
  )
})

describe('ending a session', () => {
  it('is off by default: a POST is refused, and the page has no button for it', async () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    const { end, snapshot } = inspectorOf(registry)

    expect((await end(registry.ref('a'))).status).toBe(403)
    expect((await snapshot()).endSessions).toBe(false)
    expect(registry.has('a')).toBe(true)
  })

  it.each<[headers: Record<string, string>, status: number]>([
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'http://inspector.test' }, 200],
    // A proxy ends TLS.
    [{ origin: 'https://inspector.test' }, 200],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: 'http://inspector.test' }, 403],
    [{ origin: 'http://inspector.test.evil.example' }, 403],
    [{ origin: 'http://inspector.test:8080' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'inspector.test' }, 403],
    [{ origin: '' }, 403],
    [{}, 403],
    [{ referer: pageUrl }, 403],
  ])('a POST with %j is answered with %i', async (headers, status) => {
    const { registry, events } = clockedRegistry()
    registry.set('a', [])
    events.take()
    const { end } = inspectorOf(registry, { endSessions: true })

    expect((await end(registry.ref('a'), headers)).status).toBe(status)
    expect(registry.has('a')).toBe(status !== 200)
  })

  it('a GET ends nothing', async () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    const { get } = inspectorOf(registry, { endSessions: true })
    await get(`?end=${registry.ref('a')}&registry=0`, { 'sec-fetch-site': 'same-origin' })

    expect(registry.has('a')).toBe(true)
  })

  it('ends a session that a snapshot has shown, and one that none has shown', async () => {
    const { registry } = clockedRegistry()
    const { end, snapshot } = inspectorOf(registry, { endSessions: true })
    registry.set('shown', [])
    await snapshot()
    registry.set('not shown', [])
    const responses = [await end(registry.ref('shown')), await end(registry.ref('not shown'))]

    expect(responses.map(({ status }) => status)).toEqual([200, 200])
    expect(await responses[0]?.json()).toEqual({ ended: true })
    expect(registry.size).toBe(0)
  })

  it('ends one that is being archived, if a snapshot has shown it', async () => {
    const archived = deferred<void>()
    const { registry, clock } = clockedRegistry({ archive: () => archived.promise, timeoutMs: 1_000 })
    const { end, first } = inspectorOf(registry, { endSessions: true })
    registry.set('a', [])
    clock.advance(1_000)
    registry.sweep()
    expect((await first()).busy.map(({ state, attempts }) => [state, attempts])).toEqual([['archiving', 1]])
    const { status } = await end(registry.ref('a'))

    expect(status).toBe(200)
    expect(registry.stats()).toMatchObject({ archiving: 0, deleted: 1 })
    archived.resolve()
  })

  it('in the registry that is named, and in no other', async () => {
    const { registry: one } = clockedRegistry({ name: 'one' })
    const { registry: two } = clockedRegistry({ name: 'two' })
    for (const registry of [one, two]) registry.set('a', [])
    const { end } = inspectorOf([one, two], { endSessions: true })
    const statuses = await Promise.all(
      ['1', '2', '-1', 'none', '', '__proto__'].map(async (at) => [
        at,
        (await end(one.ref('a'), undefined, at)).status,
      ]),
    )

    expect(statuses).toEqual([
      ['1', 200],
      ['2', 400],
      ['-1', 400],
      ['none', 400],
      ['', 200],
      ['__proto__', 400],
    ])
    expect([one.has('a'), two.has('a')]).toEqual([false, false])
  })

  it.each(['', 'unknown', '__proto__', 'a', 'x'.repeat(10_000)])(
    'a ref that no session has is 404',
    async (ref) => {
      const { registry } = clockedRegistry()
      registry.set('a', [])
      const { end } = inspectorOf(registry, { endSessions: true })

      expect((await end(ref)).status).toBe(404)
      expect(registry.has('a')).toBe(true)
    },
  )

  it('a registry that fails is 503, with a code and no text', async () => {
    const { registry } = clockedRegistry()
    registry.set('a', [])
    const failing = new Proxy(registry, {
      get(target, key) {
        if (key === 'delete')
          return () => Promise.reject(Object.assign(new Error('secret'), { code: 'ECONNRESET' }))
        const member = Reflect.get(target, key, target)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    const { end } = inspectorOf(failing, { endSessions: true })
    const response = await end(registry.ref('a'))

    expect([response.status, await response.json()]).toEqual([503, { ended: false, problem: 'ECONNRESET' }])
  })

  it('looks for a ref among very many sessions in slices: the event loop goes on', async () => {
    const registry = new SessionRegistry<number>({ create: () => 1 })
    for (let n = 0; n < 50_000; n += 1) registry.getOrCreate(`a${n}`)
    const { end } = inspectorOf(registry, { endSessions: true })
    let iterations = 0
    const count = () => {
      iterations += 1
      counting = setImmediate(count)
    }
    let counting = setImmediate(count)
    const { status } = await end(registry.ref('a49999'))
    clearImmediate(counting)

    expect(status).toBe(200)
    expect(iterations).toBeGreaterThan(5)
  })
})
