import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

const sessions = new SessionRegistry<string[]>({ create: () => [], store: fileStore('./sessions') })

const count = await sessions.run('ada', ({ value }) => value.push('hello')) // on disk when this resolves
console.log(`message ${count}`)

process.kill(process.pid, 'SIGKILL') // a crash; run it again, and it goes on counting
