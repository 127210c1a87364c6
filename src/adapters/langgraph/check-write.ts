import {
  type ChannelVersions,
  type Checkpoint,
  type CheckpointMetadata,
  type PendingWrite,
  RESUME,
} from '@langchain/langgraph-checkpoint'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { checkObject, checkText, invalidOption } from '../../core/options/validate.ts'

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function checkPut(
  checkpoint: Checkpoint,
  metadata: CheckpointMetadata,
  newVersions: ChannelVersions,
): void {
  checkText('checkpoint.id', checkObject('checkpoint', checkpoint).id)
  checkObject('checkpoint.channel_values', checkpoint.channel_values)
  checkObject('checkpoint.channel_versions', checkpoint.channel_versions)
  checkObject('metadata', metadata)
  checkObject('newVersions', newVersions)
}

/**
 * What is wrong here would otherwise be stored, and later reads of the thread fail, which sort its writes by
 * task.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkPutWrites(writes: readonly PendingWrite[], taskId: string, taskPath: string): void {
  if (!Array.isArray(writes) || !writes.every(isWrite)) {
    throw invalidOption('writes', 'an array of pairs of a channel and a value', writes)
  }
  checkText('taskId', taskId)
  if (typeof taskPath !== 'string') throw invalidOption('taskPath', 'a string', taskPath)
}

function isWrite(write: unknown): boolean {
  return Array.isArray(write) && typeof write[0] === 'string'
}

/** The task of a write that comes from the caller of the graph, and not from a node. */
const nullTaskId = '00000000-0000-0000-0000-000000000000'

/**
 * Whether writes are the answer of a caller to an `interrupt`: those belong to a checkpoint that is there.
 */
export function isResume(taskId: string, writes: readonly PendingWrite[]): boolean {
  return taskId === nullTaskId && writes.some(([channel]) => channel === RESUME)
}

/** Without it LangGraph answers an approval that comes too late with an empty state, as if it had gone on. */
export function nothingToResume(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_VALUE_INVALID',
    'Expected the checkpoint that is resumed to be in the thread, but it is not: the session has ended meanwhile, or the checkpoint was not kept',
  )
}
