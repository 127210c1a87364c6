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
 * Checks writes. Invalid ones would be stored, and later reads of the thread, which sort its writes by task,
 * would fail.
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

/** The task id of a write of the graph's caller, not of a node. */
const nullTaskId = '00000000-0000-0000-0000-000000000000'

/** Whether writes are a caller's answer to an `interrupt`: their checkpoint must exist. */
export function isResume(taskId: string, writes: readonly PendingWrite[]): boolean {
  return taskId === nullTaskId && writes.some(([channel]) => channel === RESUME)
}

/**
 * The error of an approval that comes too late. Without it LangGraph would return an empty state, as if the
 * graph had gone on.
 */
export function nothingToResume(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_VALUE_INVALID',
    'Expected the checkpoint that is resumed to be in the thread, but it is not: the session has ended meanwhile, or the checkpoint was not kept',
  )
}
