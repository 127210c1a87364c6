import type {
  ChannelVersions,
  Checkpoint,
  CheckpointMetadata,
  PendingWrite,
} from '@langchain/langgraph-checkpoint'
import { checkObject, checkText, invalidKind } from '../../core/validate.ts'

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
 * What is wrong here would otherwise be stored, and later reads of the thread fail, which sort its writes by task.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkPutWrites(writes: readonly PendingWrite[], taskId: string, taskPath: string): void {
  if (!Array.isArray(writes) || !writes.every(isWrite)) {
    throw invalidKind('writes', 'an array of pairs of a channel and a value', writes)
  }
  checkText('taskId', taskId)
  if (typeof taskPath !== 'string') throw invalidKind('taskPath', 'a string', taskPath)
}

function isWrite(write: unknown): boolean {
  return Array.isArray(write) && typeof write[0] === 'string'
}
