import { isSessionRegistryError, SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<string[]>({ create: () => [], maxSessions: 2 })
sessions.on('ended', (session, reason) => console.log(`${session.id} ended: ${reason}`))

sessions.getOrCreate('ada')
sessions.getOrCreate('bob')
{
  using _hold = sessions.hold('ada') // in use: it is not evicted
  sessions.getOrCreate('cleo')
  console.log([...sessions.keys()])
}

const strict = new SessionRegistry<string[]>({ create: () => [], maxSessions: 1, whenFull: 'reject' })
strict.getOrCreate('ada')
try {
  strict.getOrCreate('bob')
} catch (error) {
  if (!isSessionRegistryError(error, 'ERR_SESSION_REGISTRY_FULL')) throw error
  console.log(`answer with ${error.statusCode}`)
}
