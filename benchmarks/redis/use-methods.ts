import { createClient } from 'redis'
import { RedisSessionRegistry } from 'session-registry/redis'

/** A way to use sessions so that they stay alive, and to write them: the registry's, or one by hand. */
export interface UseMethod {
  /** Reads a session, or has a turn of it. */
  use(id: string): Promise<unknown>
  fill(id: string): Promise<unknown>
  close(): Promise<void>
}

export const readMethodNames = ['field', 'registry', 'registry-cold', 'hash', 'list'] as const

/** Turns: a session is read, changed and saved. */
export const turnMethodNames = ['turn', 'idle-turn', 'get-set'] as const

export type UseMethodName = (typeof readMethodNames)[number] | (typeof turnMethodNames)[number]

/** Names of the methods in the report. */
export const titles: Readonly<Record<UseMethodName, string>> = {
  field: '`HGET` alone',
  registry: '`get`, value seen before',
  'registry-cold': '`get`, value not yet seen',
  hash: '`HGETALL` + `EXPIRE`',
  list: '`LRANGE` + `EXPIRE`',
  turn: '`run`, value changed',
  'idle-turn': '`run`, nothing changed',
  'get-set': '`GET`, then `SET … EX`',
}

const timeoutSeconds = 20 * 60

/** The value of every session: a conversation of 8 messages, 1 KB as JSON. */
const conversation: readonly string[] = Array.from({ length: 8 }, (_, index) =>
  (index % 2 === 0 ? 'visitor: ' : 'bot: ').padEnd(122, 'lorem ipsum '),
)

/** Connects a method by its own node-redis client, which sends the commands of one tick together. */
export async function connectMethod(name: UseMethodName, url: string): Promise<UseMethod> {
  const client = createClient({ url })
  client.on('error', (error) => console.error(error))
  await client.connect()
  const close = async () => client.destroy()
  if (name === 'registry' || name === 'registry-cold' || name === 'turn' || name === 'idle-turn') {
    const sessions = new RedisSessionRegistry<string[]>({
      client,
      prefix: 'registry',
      timeoutMs: timeoutSeconds * 1_000,
    })
    return {
      use: usesOf(sessions)[name],
      fill: (id) => sessions.set(id, [...conversation]),
      close: async () => {
        await sessions.close()
        await close()
      },
    }
  }
  if (name === 'get-set') {
    return {
      // By hand: two turns of one session at once lose a message.
      use: async (id) => {
        const messages: string[] = JSON.parse((await client.get(`text:${id}`)) ?? '[]')
        const text = JSON.stringify(withOneAnother(messages))
        return client.set(`text:${id}`, text, { expiration: { type: 'EX', value: timeoutSeconds } })
      },
      fill: (id) => client.set(`text:${id}`, JSON.stringify(conversation)),
      close,
    }
  }
  if (name === 'field') {
    return {
      // The floor: a session that is only read expires.
      use: async (id) => JSON.parse((await client.hGet(`field:${id}`, 'value')) ?? 'null'),
      fill: (id) => client.hSet(`field:${id}`, { value: JSON.stringify(conversation) }),
      close,
    }
  }
  if (name === 'hash') {
    return {
      // As written by hand: both commands in one round trip. The end of a session is not reported.
      use: async (id) => {
        const key = `hash:${id}`
        const [{ value = 'null' }] = await Promise.all([
          client.hGetAll(key),
          client.expire(key, timeoutSeconds),
        ])
        return JSON.parse(value)
      },
      fill: async (id) => {
        const key = `hash:${id}`
        const value = JSON.stringify(conversation)
        await Promise.all([
          client.hSet(key, { value, createdAt: Date.now() }),
          client.expire(key, timeoutSeconds),
        ])
      },
      close,
    }
  }
  return {
    // The commands of LangChain's RedisChatMessageHistory. It calls EXPIRE only when it adds a message; here
    // a read does so too, since otherwise a visitor who only reads would lose the session.
    use: async (id) => {
      const key = `list:${id}`
      const [texts] = await Promise.all([client.lRange(key, 0, -1), client.expire(key, timeoutSeconds)])
      return texts.map((text) => JSON.parse(text) as unknown)
    },
    fill: async (id) => {
      const key = `list:${id}`
      for (const text of conversation) {
        await client.lPush(key, JSON.stringify({ type: 'human', data: { content: text } }))
        await client.expire(key, timeoutSeconds)
      }
    },
    close,
  }
}

function usesOf(sessions: RedisSessionRegistry<string[]>) {
  const get = (id: string) => sessions.get(id)
  return {
    registry: get,
    'registry-cold': get,
    turn: (id: string) =>
      sessions.run(id, (session) => {
        session.value = withOneAnother(session.value)
        return true
      }),
    'idle-turn': (id: string) => sessions.run(id, ({ value }) => value.length),
  }
}

/** Returns a conversation of the same length with another message in it. */
function withOneAnother([, ...others]: readonly string[]): string[] {
  return [...others, `visitor: ${Math.random()} `.padEnd(122, 'lorem ipsum ')]
}
