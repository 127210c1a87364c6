import { randomBytes } from 'node:crypto'
import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import { checkOwner } from '../../core/options/call-options.ts'
import { checkFunction, checkOptions, checkText, invalidOption } from '../../core/options/validate.ts'
import type { Session } from '../../core/session.ts'
import { lifetimeOf } from '../../core/session-lifetime.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { deleteStored } from '../../core/storing/delete-stored.ts'
import { goneText, policyText, refusalText, unknownText } from './handle-texts.ts'
import { listHandles } from './list-handles.ts'
import { signalOf, splitCall, type ToolContext } from './tool-context.ts'
import { errorResult, type ToolResult, textResult } from './tool-result.ts'

/** Options of {@link stateHandles}. */
export interface StateHandleOptions<K extends string = string> {
  /**
   * What every handle begins with, before its 128 random bits: `'basket_'`.
   *
   * 1 to 64 visible ASCII characters.
   */
  readonly prefix: string
  /**
   * The name of the argument in which tools are given a handle, and of the member of `structuredContent` in
   * which the creation tool returns it: `'basket_id'`.
   */
  readonly argument: K
  /**
   * Returns to whom the handles of a call belong: the person, say `extra.sub` of its `authInfo`. A handle is
   * then bound to its owner, and unknown to all others. `undefined`: the caller is not known, and is refused.
   *
   * There is no default: `clientId` names the application, which all its users share. Without this option a
   * handle serves everyone who has it, and `list` lists none.
   */
  owner?(this: void, context: ToolContext): MaybeOwner | PromiseLike<MaybeOwner>
}

type MaybeOwner = string | null | undefined

/** What the callback of a creation tool may return: it is added to the result with the handle. */
export interface CreationResult {
  readonly content?: readonly object[] | undefined
  readonly structuredContent?: unknown
  readonly isError?: boolean | undefined
}

type Created = CreationResult | undefined

/** The arguments of a tool that has the handle among them. */
export type HandleArguments<K extends string> = { readonly [P in K]: string }

/** Callbacks for `registerTool` of both lines of the MCP SDK. */
export interface StateHandles<T, K extends string> {
  /**
   * The sentence about how long a handle lasts, for the description of the creation tool. It has the figures
   * of the registry; where a `load` hook decides, or the source is not a registry of this library, it has
   * none.
   */
  readonly policy: string
  /**
   * Returns a tool that creates a session and returns its id, the handle: as text, and in `structuredContent`
   * under the name `argument`.
   *
   * The value is what `create` of the registry makes. A callback can change it, in the session's first turn,
   * and add to the result; its tool needs an `inputSchema`. If it throws, or returns an error, there is no
   * handle. Where the registry is full or closed, the tool error says so.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  create(this: void): (...call: unknown[]) => Promise<ToolResult>
  create<A extends object, C extends ToolContext>(
    this: void,
    callback: (
      session: Session<T>,
      args: A,
      context: C,
      signal: AbortSignal,
    ) => Created | PromiseLike<Created> | PromiseLike<void>,
  ): (args: A, context: C) => Promise<ToolResult>
  /**
   * Returns a tool that runs `callback` as one turn of the session whose handle is in the arguments.
   *
   * `signal` is the turn's: it aborts when the client cancels the call, when the handle is dropped, and after
   * `maxTurnMs`. A handle that is unknown, has ended, or belongs to another owner is a tool error
   * (`isError`); only the owner is told why and when it ended, for `tombstoneMs` of the registry.
   *
   * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
   */
  use<A extends HandleArguments<K>, C extends ToolContext, R>(
    this: void,
    callback: (session: Session<T>, args: A, context: C, signal: AbortSignal) => R | PromiseLike<R>,
  ): (args: A, context: C) => Promise<Awaited<R> | ToolResult>
  /**
   * Returns a tool that lists the caller's handles that are live, in `structuredContent.handles`. Not
   * activity. It looks at every live session of the source; one that is only in a store is not listed.
   *
   * Without `owner` it returns a tool error: it would show everyone's handles.
   */
  list(this: void): (...call: unknown[]) => Promise<ToolResult>
  /** Returns a tool that deletes the session whose handle is in the arguments. A running turn is aborted. */
  drop(this: void): (args: HandleArguments<K>, context: ToolContext) => Promise<ToolResult>
}

/**
 * Returns tools that keep state under a handle: for the MCP protocol version 2026-07-28, which has no
 * sessions.
 *
 * A tool creates a session and returns its id, and the model passes that to other tools as an argument. Each
 * call is one turn. The source is any registry; give it one of its own, since every id with the prefix is a
 * handle.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const { policy, create, use } = stateHandles(baskets, { prefix: 'basket_', argument: 'basket_id', owner })
 * server.registerTool('create_basket', { description: `Creates a basket. ${policy}` }, create())
 * const inputSchema = z.object({ basket_id: z.string(), item: z.string() })
 * server.registerTool(
 *   'add_item',
 *   { inputSchema },
 *   use(({ value }, { item }) => ({ content: [{ type: 'text', text: `${value.push(item)} items` }] })),
 * )
 */
export function stateHandles<T, const K extends string>(
  source: SessionSource<T>,
  options: StateHandleOptions<K>,
): StateHandles<T, K> {
  assertSource(source)
  const given = checkOptions('options', options, ['prefix', 'argument', 'owner'])
  const prefix = checkPrefix(given.prefix)
  const argument = checkText('argument', given.argument) as K
  const ownerOf = given.owner === undefined ? undefined : checkFunction('owner', given.owner)
  const policy = policyText(argument, lifetimeOf(source))

  /** Returns the handle in the arguments, if it may be one. */
  function handleIn(args: object | undefined): string | undefined {
    if (typeof args !== 'object' || args === null || !Object.hasOwn(args, argument)) return undefined
    const handle: unknown = (args as Readonly<Record<string, unknown>>)[argument]
    return typeof handle === 'string' && handle.startsWith(prefix) ? handle : undefined
  }

  /** Calls `act` for the owner of a call: `undefined` where the application names none. */
  async function forOwner<R>(context: ToolContext, act: (owner: string | undefined) => Promise<R>) {
    if (ownerOf === undefined) return await act(undefined)
    const owner = await ownerOf(context)
    if (owner === undefined || owner === null || owner === '')
      return errorResult(`The caller is not known, and can use no \`${argument}\`.`)
    return await act(checkOwner('owner(context)', owner))
  }

  /** Runs a turn of the session of a handle, or returns the tool error that says that there is none. */
  async function useHandle<R>(
    handle: string | undefined,
    owner: string | undefined,
    turn: (session: Session<T>, signal: AbortSignal) => R | PromiseLike<R>,
    run: { readonly signal?: AbortSignal | undefined; readonly whenBusy?: 'join' },
  ): Promise<Awaited<R> | ToolResult> {
    if (handle === undefined) return errorResult(unknownText(argument))
    let hasBegun = false
    const begin = async (session: Session<T>, signal: AbortSignal) => {
      hasBegun = true
      return await turn(session, signal)
    }
    try {
      const result = await source.run(handle, begin, { create: false, owner, ...run })
      if (hasBegun) return result as Awaited<R>
      const gone = await source.whyGone(handle, { owner })
      return errorResult(gone === undefined ? unknownText(argument) : goneText(argument, gone))
    } catch (error) {
      const text = isUnknown(error) ? unknownText(argument) : refusalText(argument, error)
      if (hasBegun || text === undefined) throw error
      return errorResult(text)
    }
  }

  const create = (callback?: CreationCallback<T>) => {
    if (callback !== undefined) checkFunction('callback', callback)
    return (...call: unknown[]): Promise<ToolResult> => {
      const [args, context] = splitCall(call)
      return forOwner(context, async (owner) => {
        const handle = `${prefix}${randomBytes(16).toString('hex')}`
        let hasBegun = false
        const begin = async (session: Session<T>, signal: AbortSignal) => {
          hasBegun = true
          return await callback?.(session, args, context, signal)
        }
        const signal = signalOf(context)
        try {
          const result = await source.run(handle, begin, { owner, signal })
          // A cancelled call is not answered.
          signal?.throwIfAborted()
          if (result?.isError !== true) return createdResult(argument, handle, policy, result ?? {})
          await source.delete(handle)
          return result as ToolResult
        } catch (error) {
          // No one knows the handle, so no one could drop it.
          if (hasBegun || signal?.aborted === true) await dropQuietly(source, handle)
          const text = refusalText(argument, error)
          if (hasBegun || text === undefined) throw error
          return errorResult(text)
        }
      })
    }
  }

  return {
    policy,
    create: create as StateHandles<T, K>['create'],
    use: (callback) => {
      checkFunction('callback', callback)
      return (args, context) =>
        forOwner(context, (owner) =>
          useHandle(handleIn(args), owner, (session, signal) => callback(session, args, context, signal), {
            signal: signalOf(context),
          }),
        )
    },
    list:
      () =>
      (...call) => {
        const [, context] = splitCall(call)
        return forOwner(context, (owner) =>
          listHandles(source, { prefix, argument, owner }, signalOf(context)),
        )
      },
    drop: () => (args, context) =>
      forOwner(context, async (owner) => {
        const handle = handleIn(args)
        const found = await useHandle(handle, owner, (): typeof dropped => dropped, { whenBusy: 'join' })
        if (found !== dropped) return found
        await deleteStored(source, handle as string)
        return textResult(`The \`${argument}\` was dropped.`)
      }),
  }
}

type CreationCallback<T> = (
  session: Session<T>,
  args: object,
  context: ToolContext,
  signal: AbortSignal,
) => Created | PromiseLike<Created> | PromiseLike<void>

/** The result of the turn that only finds a handle. */
const dropped: unique symbol = Symbol('dropped')

function createdResult(argument: string, handle: string, policy: string, result: CreationResult): ToolResult {
  const text = `The new \`${argument}\` is ${handle}. ${policy}`
  const content = [...(result.content ?? []), { type: 'text', text }] as ToolResult['content']
  const structuredContent = { ...(result.structuredContent as object | undefined), [argument]: handle }
  return { ...result, content, structuredContent } as ToolResult
}

async function dropQuietly<T>(source: SessionSource<T>, handle: string): Promise<void> {
  try {
    await source.delete(handle)
  } catch {
    // The error of the creation is the one to report. The session expires.
  }
}

/** Whether a call failed because there is no such handle for its caller. */
function isUnknown(error: unknown): boolean {
  return (
    isSessionRegistryError(error, 'ERR_SESSION_NOT_OWNER') ||
    isSessionRegistryError(error, 'ERR_SESSION_ID_INVALID')
  )
}

/** Visible ASCII, as a model copies it; short, so that a handle is one. */
const prefixShape = /^[!-~]{1,64}$/

function checkPrefix(prefix: unknown): string {
  if (typeof prefix === 'string' && prefixShape.test(prefix)) return prefix
  throw invalidOption('prefix', 'a string of 1 to 64 visible ASCII characters', prefix)
}
