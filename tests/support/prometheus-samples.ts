import type { Registry } from 'prom-client'

/** The samples of a scrape whose names begin so, after `session_registry_`. */
export async function samples(
  register: Pick<Registry, 'metrics'>,
  ...beginnings: string[]
): Promise<string[]> {
  const text = await register.metrics()
  const lines = text.split('\n').filter((line) => line.startsWith('session_registry_'))
  const found = lines.map((line) => line.slice('session_registry_'.length))
  return beginnings.length === 0
    ? found
    : found.filter((line) => beginnings.some((beginning) => line.startsWith(beginning)))
}
