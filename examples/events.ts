import { once } from 'node:events'
import { SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<string[]>({ timeoutMs: 50, intervalMs: 10, create: () => [] })

sessions.on('created', (session) => console.log(`${session.id} came`))
sessions.on('expired', (session, reason) => console.log(`${session.id} expired: ${reason}`))
sessions.on('ended', (session, reason) => console.log(`${session.id} ended: ${reason}`))
sessions.on('swept', ({ expired, remaining }) => console.log(`swept ${expired}, ${remaining} left`))
sessions.on('error', (error) => console.error('contained:', error))

sessions.getOrCreate('ada')
sessions.getOrCreate('bob')
sessions.delete('bob')

const keepAlive = setTimeout(() => {}, 5_000) // a server has its socket instead
const [session, reason] = await once(sessions, 'ended')
console.log(`waited for ${session.id}: ${reason}`)
clearTimeout(keepAlive)
