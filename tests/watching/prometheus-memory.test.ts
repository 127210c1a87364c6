import { channel } from 'node:diagnostics_channel'
import type { Registry } from 'prom-client'
import { SessionRegistry } from 'session-registry'
import { collect } from 'session-registry/prometheus'
import { describe, expect, it, onTestFinished } from 'vitest'
import { collectGarbage } from '../support/collect-garbage.ts'
import { collectedRegistry } from '../support/collected-registry.ts'
import { deferred } from '../support/deferred.ts'
import { samples } from '../support/prometheus-samples.ts'
import { settle } from '../support/settle.ts'

/** Remembers the messages that are published on a channel, and does not keep them. */
function weakMessages(name: string): WeakRef<object>[] {
  const messages: WeakRef<object>[] = []
  const remember = (message: unknown) => void messages.push(new WeakRef(message as object))
  channel(name).subscribe(remember)
  onTestFinished(() => void channel(name).unsubscribe(remember))
  return messages
}

describe('collect: a registry that is taken out while others stay', () => {
  async function takeOutDuring(operation: string, register: Registry): Promise<void> {
    const { promise, resolve } = deferred()
    const archive = () => (operation === 'archive' ? promise : undefined)
    const carts = new SessionRegistry<string[]>({ name: 'carts', create: () => [], archive })
    const stop = collect(carts, { register })
    const turn = carts.run('ada', () => (operation === 'turn' ? promise : undefined))
    const closed = carts.close()
    await settle()
    stop()
    resolve()
    await Promise.all([turn, closed])
  }

  it.each(['turn', 'archive'])('leaves no message of what was running: %s', async (operation) => {
    const { register } = collectedRegistry()
    const messages = weakMessages(`tracing:session-registry:${operation}:start`)
    await takeOutDuring(operation, register)
    await collectGarbage()

    expect(messages).toHaveLength(1)
    expect(messages.map((message) => message.deref())).toEqual([undefined])
    const counts = await samples(register, `${operation}_duration_seconds_count`)
    expect(counts).toEqual([`${operation}_duration_seconds_count{registry="chats"} 0`])
  })
})
