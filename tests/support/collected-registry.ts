import { Registry } from 'prom-client'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { collect } from 'session-registry/prometheus'
import { ManualClock } from 'session-registry/testing'
import { onTestFinished } from 'vitest'

/** Returns a registry named `chats` on a manual clock, whose metrics a register of its own collects. */
export function collectedRegistry(options: SessionRegistryOptions<string[]> = {}) {
  const clock = new ManualClock()
  const sessions = new SessionRegistry<string[]>({ name: 'chats', create: () => [], clock, ...options })
  const register = new Registry()
  const stop = collect(sessions, { register })
  onTestFinished(stop)
  return { clock, sessions, register, stop }
}
