import { pino } from 'pino'
import { SessionRegistry } from 'session-registry'

const logger = pino({ level: 'debug' })
const sessions = new SessionRegistry<string[]>({ name: 'chats', logger, create: () => [] })

sessions.getOrCreate('ada') // session created
logger.info({ session: sessions.ref('ada') }, 'a line of your own') // shows the id as the registry does
sessions.delete('ada') // session ended
