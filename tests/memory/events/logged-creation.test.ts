import { expect, it } from 'vitest'
import { RegistryEmitter } from '../../../src/core/events/listener-tracker.ts'
import { resolveOptions } from '../../../src/memory/options.ts'
import { wire } from '../../../src/memory/wiring.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'

it.each([
  ['makes no object of a session for the log alone', false],
  ['makes one for whoever listens', true],
])('logged creation: a creation %s', (_what, isHeard) => {
  const owner = new RegistryEmitter<{ created: [unknown] }>()
  const logger = new RecordingLogger()
  const { lifecycle, table, step } = wire(owner, resolveOptions<string>({ logger }))
  if (isHeard) owner.on('created', () => {})
  const slot = step.run(() => lifecycle.create('a', 'value', 0))

  expect(logger.at('info').map(({ message }) => message)).toEqual(['session created'])
  expect(table.record(slot) !== undefined).toBe(isHeard)
})
