import type { RedisClientType } from 'redis'

/** Returns the CPU time that the server has used, in microseconds. */
export async function serverCpu(admin: RedisClientType): Promise<number> {
  const info = await admin.info('cpu')
  return 1_000_000 * (figure(info, 'used_cpu_user') + figure(info, 'used_cpu_sys'))
}

/** Returns the bytes that the server's data use now. */
export async function serverMemory(admin: RedisClientType): Promise<number> {
  return figure(await admin.info('memory'), 'used_memory')
}

export async function serverVersion(admin: RedisClientType): Promise<string> {
  return /^redis_version:(\S+)/m.exec(await admin.info('server'))?.[1] ?? 'unknown'
}

function figure(info: string, name: string): number {
  const found = new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]
  if (found === undefined) throw new Error(`INFO has no field ${name}`)
  return Number(found)
}
