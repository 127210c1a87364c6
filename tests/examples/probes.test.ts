import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { probes, sessions } from '../../examples/probes.ts'

it('examples/probes.ts: is live always, and ready until it closes', async () => {
  probes.listen(0, '127.0.0.1')
  await once(probes, 'listening')
  onTestFinished(() => void probes.close())
  const { port } = probes.address() as AddressInfo
  const probe = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return [response.status, await response.text()]
  }
  expect(await probe('/livez')).toEqual([200, 'ok'])
  expect(await probe('/readyz')).toEqual([200, 'ok'])
  await sessions.close()

  expect(await probe('/livez')).toEqual([200, 'ok'])
  expect(await probe('/readyz')).toEqual([503, 'closing'])
})
