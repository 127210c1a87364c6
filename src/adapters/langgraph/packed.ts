import type { SerializerProtocol } from '@langchain/langgraph-checkpoint'

/** What the serializer has made of a value. Never changed, so that many may share it. */
export interface Packed {
  readonly type: string
  readonly bytes: Uint8Array
}

export async function pack(serde: SerializerProtocol, value: unknown): Promise<Packed> {
  const [type, bytes] = await serde.dumpsTyped(value)
  // Bytes are handed through as they are, and their owner may go on writing into them.
  return { type, bytes: bytes === value ? bytes.slice() : bytes }
}

export async function unpack<V>(serde: SerializerProtocol, { type, bytes }: Packed): Promise<V> {
  const value: unknown = await serde.loadsTyped(type, bytes)
  return (value === bytes ? bytes.slice() : value) as V
}
