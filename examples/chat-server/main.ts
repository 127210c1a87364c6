import { pino } from 'pino'
import { FakeChatModel, realChatModel, throughChatModel } from './chat-model.ts'
import { openDiskArchive } from './disk-archive.ts'
import { historiesInRegistry } from './histories.ts'
import { eliza } from './responder.ts'
import { chatServer } from './server.ts'

/**
 * Starts the chat server; SIGTERM stops it without losing a message.
 *
 * Environment: PORT (0: any free one), TIMEOUT_MS (idle timeout), THINK_MS, LOG_LEVEL, and ARCHIVE_FOLDER,
 * the folder in which histories are archived.
 *
 * It answers through a LangChain chat model: a fake one, or with OPENAI_API_KEY a real one, for which you
 * also need `npm install @langchain/openai`. MODEL names another, such as `anthropic:…`, which needs its own
 * key and package.
 */
const { PORT = '3000', TIMEOUT_MS, THINK_MS = '0', LOG_LEVEL = 'info', ARCHIVE_FOLDER } = process.env
const { OPENAI_API_KEY, MODEL = OPENAI_API_KEY === undefined ? undefined : 'openai:gpt-5-mini' } = process.env

const logger = pino({ level: LOG_LEVEL })
const disk = ARCHIVE_FOLDER === undefined ? undefined : await openDiskArchive(ARCHIVE_FOLDER)
const histories = historiesInRegistry({
  logger,
  timeoutMs: TIMEOUT_MS === undefined ? undefined : Number(TIMEOUT_MS),
  // A model may take longer than a short idle timeout.
  maxTurnMs: 60_000,
  archive: disk?.archive,
  load: disk?.load,
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
  await disk?.close()
})

const address = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
process.send?.({ address })
