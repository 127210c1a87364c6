import { invalidOption } from '../core/options/validate.ts'

/** Refuses an owner, which is not compared on Redis. Each call with options passes through here. */
export function withoutOwner<O extends { readonly owner?: string | undefined }>(options: O): O {
  if (options.owner !== undefined) throw invalidOption('owner', 'left out on Redis', options.owner)
  return options
}
