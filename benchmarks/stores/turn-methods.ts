import { randomUUID } from 'node:crypto'
import { SessionRegistry, type SessionStore } from 'session-registry'

export interface Message {
  readonly role: 'user' | 'assistant'
  readonly content: string
}

/** A way to do turns of one session whose history is in a store. */
export interface TurnMethod {
  /**
   * Adds a message and removes the oldest one, so that the history keeps its size. Fulfils when it is
   * durable.
   */
  turn(message: Message): Promise<void>
  /** A turn that reads the history and changes nothing. Returns the number of messages. */
  unchangedTurn(): Promise<number>
  close(): Promise<void>
}

export type OpenTurnMethod = (store: SessionStore, history: Message[]) => Promise<TurnMethod>

const { signal } = new AbortController()

/**
 * `get`, `JSON.parse`, change, `JSON.stringify`, `put`: what one writes by hand, with a check of the
 * revision.
 */
async function openByHand(store: SessionStore, history: Message[]): Promise<TurnMethod> {
  const id = randomUUID()
  await putText(store, id, JSON.stringify(history), null)
  const read = async () => {
    const found = await store.get(id, { signal })
    if (found === undefined) throw new Error('the session is not there')
    return { messages: JSON.parse(found.text) as Message[], revision: found.revision }
  }
  return {
    async turn(message) {
      const { messages, revision } = await read()
      replaceOldest(messages, message)
      await putText(store, id, JSON.stringify(messages), revision)
    },
    unchangedTurn: async () => (await read()).messages.length,
    async close() {},
  }
}

/** `JSON.stringify` and `put` of a history in memory: the least that a durable turn costs. */
async function openPutOnly(store: SessionStore, history: Message[]): Promise<TurnMethod> {
  const id = randomUUID()
  const messages = [...history]
  let revision = await putText(store, id, JSON.stringify(messages), null)
  return {
    async turn(message) {
      replaceOldest(messages, message)
      revision = await putText(store, id, JSON.stringify(messages), revision)
    },
    unchangedTurn: async () => messages.length,
    async close() {},
  }
}

/** Turns of a registry that has the store, each saved before `run` fulfils. */
async function openRegistry(store: SessionStore, history: Message[]): Promise<TurnMethod> {
  const id = randomUUID()
  const registry = new SessionRegistry<Message[]>({
    create: () => [...history],
    store,
    save: 'turn',
  })
  const unchangedTurn = () => registry.run(id, ({ value }) => value.length)
  await unchangedTurn()
  return {
    turn: (message) => registry.run(id, ({ value }) => replaceOldest(value, message)),
    unchangedTurn,
    close: async () => void (await registry.close()),
  }
}

export type TurnMethodName = 'by hand' | 'put only' | 'registry'

/** The methods of a measurement. Each does the turns of a session of its own, in the same store. */
export const turnMethods: Readonly<Record<TurnMethodName, OpenTurnMethod>> = {
  'put only': openPutOnly,
  'by hand': openByHand,
  registry: openRegistry,
}

/** Returns the new revision. */
async function putText(
  store: SessionStore,
  id: string,
  text: string,
  replaces: string | null,
): Promise<string> {
  const revision = randomUUID()
  const now = Date.now()
  const isWritten = await store.put(
    { id, text, revision, createdAt: now, lastActiveAt: now },
    { signal, replaces },
  )
  if (!isWritten) throw new Error('another revision is stored')
  return revision
}

function replaceOldest(messages: Message[], message: Message): void {
  messages.push(message)
  messages.shift()
}
