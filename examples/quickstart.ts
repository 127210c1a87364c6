import { SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<string[]>({
  timeoutMs: 300, // default: 20 minutes
  intervalMs: 100, // default: 5 minutes
  create: () => [],
  logger: true, // pino
})
sessions.on('expired', (session) => console.log(`${session.id} left, after`, session.value))

sessions.getOrCreate('ada').push('hello')
sessions.getOrCreate('ada').push('is anybody there?')

// A server stays alive by itself; the registry keeps no process alive.
await new Promise((resolve) => setTimeout(resolve, 500))
