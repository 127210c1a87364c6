import { promisify } from 'node:util'
import type { BaseMessage } from '@langchain/core/messages'
import { RunnableLambda } from '@langchain/core/runnables'
import type { AgentInputItem } from '@openai/agents'
import type { UIMessage } from 'ai'
import { SessionRegistry } from 'session-registry'
import { chatStore } from 'session-registry/ai-sdk'
import { type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
import { registryStore } from 'session-registry/express-session'
import { sessionStorage, sessionTurns } from 'session-registry/grammy'
import { inspector } from 'session-registry/inspector'
import { messageCodec, messageHistories, withSessionTurns } from 'session-registry/langchain'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { mcpTransports, stateHandles } from 'session-registry/mcp'
import { agentSession } from 'session-registry/openai-agents'
import { type Conversation, conversationStore } from 'session-registry/slack'
import { checkpointOf } from '../support/checkpoints.ts'
import { describeNoEcho } from '../support/no-echo.ts'
import { readAll } from '../support/read-all.ts'

const chats = () => chatStore(new SessionRegistry<UIMessage[]>({ create: () => [] }))
const agentStore = () => agentSessionStore(new SessionRegistry<AgentTranscript[]>())
const store = () => registryStore(new SessionRegistry<object>())
const items = () => new SessionRegistry<AgentInputItem[]>({ create: () => [] })
const messages = () => new SessionRegistry<BaseMessage[]>({ create: () => [] })
const conversations = () => conversationStore(new SessionRegistry<Conversation<unknown>>())
const storage = () => sessionStorage(new SessionRegistry<unknown>())
const saver = () => new SessionSaver({ source: new SessionRegistry<Thread>({ create: newThread }) })
const noServer = (): never => {
  throw new Error('not called')
}
const config = { configurable: { thread_id: 'a', checkpoint_id: '1' } }
const metadata = { source: 'loop', step: 0, parents: {} } as const

describeNoEcho({
  chatStore: (given) => chatStore(given),
  'chatStore: options': (given) => chatStore(new SessionRegistry<UIMessage[]>(), given),
  'loadChat: id': (given) => chats().loadChat(given),
  'saveChat: chat': (given) => chats().saveChat(given),
  'saveChat: id': (given) => chats().saveChat({ chatId: given, messages: [] }),
  'saveChat: messages': (given) => chats().saveChat({ chatId: 'a', messages: given }),
  'saveChat: a message': (given) => chats().saveChat({ chatId: 'a', messages: [given] }),
  'agentSession: source': (given) => agentSession(given, 'a'),
  'agentSession: id': (given) => agentSession(items(), given),
  'agentSession: options': (given) => agentSession(items(), 'a', given),
  'agentSession.getItems: limit': (given) => agentSession(items(), 'a').getItems(given),
  'agentSession.addItems': (given) => agentSession(items(), 'a').addItems(given),
  'agentSession.addItems: an item': (given) => agentSession(items(), 'a').addItems([given]),
  agentSessionStore: (given) => agentSessionStore(given),
  'agentSessionStore: key': (given) => agentStore().load(given),
  'agentSessionStore: projectKey': (projectKey) => agentStore().load({ projectKey, sessionId: 's' }),
  'agentSessionStore: sessionId': (sessionId) => agentStore().load({ projectKey: 'p', sessionId }),
  'agentSessionStore: subpath': (subpath) => agentStore().load({ projectKey: 'p', sessionId: 's', subpath }),
  'agentSessionStore.listSessions': (given) => agentStore().listSessions(given),
  'agentSessionStore.append: entries': (given) =>
    agentStore().append({ projectKey: 'p', sessionId: 's' }, given),
  'agentSessionStore.append: an entry': (given) =>
    agentStore().append({ projectKey: 'p', sessionId: 's' }, [given]),
  conversationStore: (given) => conversationStore(given),
  'conversationStore.get: id': (given) =>
    conversations()
      .get(given)
      .catch((error: Error) => {
        // A string is an id; what it finds is a miss, of which Bolt knows the words.
        if (error.message !== 'Conversation not found') throw error
      }),
  'conversationStore.set: id': (given) => conversations().set(given, 1),
  'conversationStore.set: value': (given) => conversations().set('a', given),
  'conversationStore.set: expiresAt': (given) => conversations().set('a', 1, given),
  registryStore: (given) => registryStore(given),
  'registryStore.get: id': (given) => promisify<unknown>((done) => store().get(given, done))(),
  'registryStore.set: id': (given) => promisify<void>((done) => store().set(given, {}, done))(),
  'registryStore.set: session': (given) => promisify<void>((done) => store().set('a', given, done))(),
  'registryStore.touch: id': (given) => promisify<void>((done) => store().touch(given, {}, done))(),
  'registryStore.destroy: id': (given) => promisify<void>((done) => store().destroy(given, done))(),
  sessionStorage: (given) => sessionStorage(given),
  'sessionStorage.read: key': (given) => storage().read(given),
  'sessionStorage.get: key': (given) => storage().get(given),
  'sessionStorage.write: key': (given) => storage().write(given, 1),
  'sessionStorage.write: value': (given) => storage().write('a', given),
  'sessionStorage.delete: key': (given) => storage().delete(given),
  'sessionTurns: source': (given) => sessionTurns(given),
  'sessionTurns: options': (given) => sessionTurns(new SessionRegistry(), given),
  'sessionTurns: getSessionKey': (getSessionKey) => sessionTurns(new SessionRegistry(), { getSessionKey }),
  'sessionTurns: prefix': (prefix) => sessionTurns(new SessionRegistry(), { prefix }),
  'sessionTurns: key': (key) =>
    sessionTurns(new SessionRegistry(), { getSessionKey: () => key })({}, async () => {}),
  'inspector: registries': (given) => inspector(given, { authorize: () => true }),
  'inspector: a registry': (given) => inspector([given], { authorize: () => true }),
  'inspector: options': (given) => inspector([], given),
  'inspector: authorize': (authorize) => inspector([], { authorize }),
  'inspector: endSessions': (endSessions) => inspector([], { authorize: () => true, endSessions }),
  messageHistories: (given) => messageHistories(given),
  'messageHistories: id': (given) => messageHistories(messages())(given),
  'addMessages: messages': (given) => messageHistories(messages())('a').addMessages(given),
  'addMessages: a message': (given) => messageHistories(messages())('a').addMessages([given]),
  'withSessionTurns: source': (given) =>
    withSessionTurns(
      given,
      RunnableLambda.from(() => ''),
    ),
  'withSessionTurns: runnable': (given) => withSessionTurns(messages(), given),
  'withSessionTurns: id': (sessionId) =>
    withSessionTurns(
      messages(),
      RunnableLambda.from(() => ''),
    ).invoke('', { configurable: { sessionId } }),
  'stateHandles: source': (given) => stateHandles(given, { prefix: 'a_', argument: 'a' }),
  'stateHandles: options': (given) => stateHandles(items(), given),
  'stateHandles: prefix': (prefix) => stateHandles(items(), { prefix, argument: 'a' }),
  'stateHandles: argument': (argument) => stateHandles(items(), { prefix: 'a_', argument }),
  'stateHandles: owner': (owner) => stateHandles(items(), { prefix: 'a_', argument: 'a', owner }),
  'stateHandles: the owner of a call': (given) =>
    stateHandles(items(), { prefix: 'a_', argument: 'a', owner: () => given }).create()({}),
  'stateHandles.create': (given) => stateHandles(items(), { prefix: 'a_', argument: 'a' }).create(given),
  'stateHandles.use': (given) => stateHandles(items(), { prefix: 'a_', argument: 'a' }).use(given),
  mcpTransports: (given) => mcpTransports(given),
  'mcpTransports: timeoutMs': (timeoutMs) =>
    mcpTransports({ timeoutMs, server: noServer, transport: noServer }),
  'messageCodec.encode': (given) => messageCodec.encode(given),
  'messageCodec.encode: a message': (given) => messageCodec.encode([given]),
  'messageCodec.decode': (given) => messageCodec.decode(given),
  'threadCodec.encode': (given) => threadCodec.encode(given),
  'threadCodec.decode': (given) => threadCodec.decode(given),
  'new SessionSaver': (given) => new SessionSaver(given),
  'new SessionSaver: source': (source) => new SessionSaver({ source }),
  'new SessionSaver: pausedTimeoutMs': (pausedTimeoutMs) =>
    new SessionSaver({ source: new SessionRegistry<Thread>(), pausedTimeoutMs }),
  'new SessionSaver: serde': (serde) => new SessionSaver({ source: new SessionRegistry<Thread>(), serde }),
  'getTuple: config': (given) => saver().getTuple(given),
  'getTuple: configurable': (configurable) => saver().getTuple({ configurable }),
  'getTuple: thread_id': (thread_id) => saver().getTuple({ configurable: { thread_id } }),
  'list: options': (given) => readAll(saver().list(config, given)),
  'put: config': (given) => saver().put(given, checkpointOf('1', {}), metadata, {}),
  'put: checkpoint': (given) => saver().put(config, given, metadata, {}),
  'put: metadata': (given) => saver().put(config, checkpointOf('1', {}), given, {}),
  'put: newVersions': (given) => saver().put(config, checkpointOf('1', {}), metadata, given),
  'putWrites: writes': (given) => saver().putWrites(config, given, 'task'),
  'putWrites: taskId': (given) => saver().putWrites(config, [], given),
  'putWrites: taskPath': (given) => saver().putWrites(config, [], 'task', given),
})
