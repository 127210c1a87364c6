import { pino } from 'pino'
import { fileStore } from 'session-registry/stores/file'
import { FakeChatModel, realChatModel, throughChatModel } from './chat-model.ts'
import { historiesInRegistry } from './histories.ts'
import { eliza } from './responder.ts'
import { chatServer } from './server.ts'

/**
 * Starts the chat server. Each message that it has answered survives a restart, and a crash.
 *
 * Environment: PORT (0: any free one), SESSIONS_FOLDER (where histories are kept), SAVE (`turn` or `end`),
 * TIMEOUT_MS (idle timeout), THINK_MS, LOG_LEVEL.
 *
 * It answers through a LangChain chat model: a fake one, or with OPENAI_API_KEY a real one, for which you
 * also need `npm install @langchain/openai`. MODEL names another, such as `anthropic:…`, which needs its own
 * key and package.
 */
const { PORT = '3000', TIMEOUT_MS, THINK_MS = '0', LOG_LEVEL = 'info' } = process.env
const { SESSIONS_FOLDER = './sessions', SAVE } = process.env
const { OPENAI_API_KEY, MODEL = OPENAI_API_KEY === undefined ? undefined : 'openai:gpt-5-mini' } = process.env

const logger = pino({ level: LOG_LEVEL })
const histories = historiesInRegistry({
  logger,
  timeoutMs: TIMEOUT_MS === undefined ? undefined : Number(TIMEOUT_MS),
  // A model may take longer than a short idle timeout.
  maxTurnMs: 60_000,
  store: fileStore(SESSIONS_FOLDER),
  save: SAVE === 'end' ? 'end' : 'turn',
})
const model =
  MODEL === undefined ? new FakeChatModel(eliza({ thinkMs: Number(THINK_MS) })) : await realChatModel(MODEL)
const app = chatServer(histories, throughChatModel(model), logger)

process.once('SIGTERM', async () => {
  try {
    await app.close()
  } catch (error) {
    logger.error({ err: error }, 'could not close cleanly')
    process.exitCode = 1
  }
})

const address = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
process.send?.({ address })
