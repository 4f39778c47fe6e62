import { type FeedGapChange, SERVICE_CHANGES, type StorageChange } from '../../storage-change.js';
import { ByteReader, packText } from './bytes.js';
import { SHARDS } from '../session-keys.js';
import { unpackEnding, unpackIdentity } from './stored-session.js';

/** A heartbeat, which every process recognises that has seen the stored nonce before (`feed/feed-freshness.ts`). */
export interface Beat {
  readonly type: 'beat';
  readonly shard: string;
  /** Random, and stored before the heartbeat is published. */
  readonly nonce: string;
  /** The stored nonce that it replaces; empty if there was none. */
  readonly previous: string;
  /** On a cluster: the number of the last change of each of the master's streams, which are positions in `keys.sequences`. */
  readonly last: ReadonlyMap<number, number>;
}

/** Reports that the sender's changes were not authentic for a while, because the store's feed key had changed. */
export interface Rekeying {
  readonly type: 'rekeying';
  /** Random: the message counts once. */
  readonly nonce: string;
}

/** A message between processes about the key of the tags (`feed/tag-key-change.ts`). */
export interface TagKeyMessage {
  readonly type: 'tag-key.proposed' | 'tag-key.unknown';
  /** The fingerprint of the key. */
  readonly fingerprint: string;
}

/** A change and its number. The changes of a shard, and those of services, are numbered without gaps. */
export interface NumberedChange {
  readonly type: 'change';
  readonly number: number;
  readonly change: Exclude<StorageChange, FeedGapChange>;
}

/**
 * Reads an authentic message, without its code: a letter for its kind, then
 *
 * - `C`, `U`: number (8 bytes), version (4), time (8), by (text), identity
 * - `E`, `R`: number, version, time, ending, identity
 * - `S`: number, time, change (text), service id (text), by (text)
 * - `B`: shard, nonce and previous nonce (texts), then for each stream its position (2 bytes) and number
 * - `K`: nonce (text)
 * - `P`, `O`: fingerprint of the tag key that the sender proposes, or does not have (text)
 * - `X`: number, session id (36 bytes): a record that could not be read was removed, of which no change can be told
 *
 * Returns `undefined` for `X` and for an unknown message, which a later release may publish: copies may be stale.
 */
export function unpackRedisChange(message: Buffer): NumberedChange | Beat | Rekeying | TagKeyMessage | undefined {
  try {
    const reader = new ByteReader(message);
    const kind = String.fromCharCode(reader.uint8());
    if (kind === 'B') return unpackBeat(reader);
    if (kind === 'K') return unpackRekeying(reader);
    if (kind === 'P' || kind === 'O') return unpackTagKey(kind, reader);
    const number = reader.whole();
    const change = unpackKind(kind, reader);
    return change && reader.isAtEnd ? { type: 'change', number, change } : undefined;
  } catch {
    return undefined;
  }
}

/** Packs a message of the kind `B`. */
export function packBeat({ shard, nonce, previous, last }: Beat): Buffer {
  const numbers = Buffer.alloc(last.size * 10);
  for (const [index, [stream, number]] of [...last].entries()) {
    numbers.writeUInt16LE(stream, index * 10);
    numbers.writeDoubleLE(number, index * 10 + 2);
  }
  return Buffer.concat([Buffer.from('B'), ...[shard, nonce, previous].map(packText), numbers]);
}

/** Packs a message of the kind `K`. */
export function packRekeying(nonce: string): Buffer {
  return Buffer.concat([Buffer.from('K'), packText(nonce)]);
}

/** Packs a message of the kind `P` or `O`. */
export function packTagKeyMessage({ type, fingerprint }: TagKeyMessage): Buffer {
  return Buffer.concat([Buffer.from(type === 'tag-key.proposed' ? 'P' : 'O'), packText(fingerprint)]);
}

function unpackTagKey(kind: 'P' | 'O', reader: ByteReader): TagKeyMessage | undefined {
  const fingerprint = reader.text();
  return reader.isAtEnd ? { type: kind === 'P' ? 'tag-key.proposed' : 'tag-key.unknown', fingerprint } : undefined;
}

function unpackRekeying(reader: ByteReader): Rekeying | undefined {
  const nonce = reader.text();
  return reader.isAtEnd ? { type: 'rekeying', nonce } : undefined;
}

function unpackBeat(reader: ByteReader): Beat {
  const [shard, nonce, previous] = [reader.text(), reader.text(), reader.text()];
  const last = new Map<number, number>();
  while (!reader.isAtEnd) {
    const stream = reader.uint16();
    if (stream > SHARDS.length) throw new RangeError('A stream is unknown');
    last.set(stream, reader.whole());
  }
  return { type: 'beat', shard, nonce, previous, last };
}

function unpackKind(kind: string, reader: ByteReader): NumberedChange['change'] | undefined {
  switch (kind) {
    case 'C':
    case 'U': {
      const [version, at, by] = [reader.uint32(), reader.whole(), reader.text()];
      const type = kind === 'C' ? 'session.created' : 'session.updated';
      return { type, ...unpackIdentity(reader), version, by, at };
    }
    case 'E':
    case 'R': {
      const [version, at] = [reader.uint32(), reader.whole()];
      const { reason, by, actor, rotatedTo } = unpackEnding(reader);
      const change = { ...unpackIdentity(reader), version, by, at, ...(actor !== undefined && { actor }) };
      if (reason === 'rotated') return rotatedTo ? { type: 'session.rotated', ...change, rotatedTo } : undefined;
      return { type: 'session.ended', ...change, reason };
    }
    case 'S': {
      const [at, word, serviceId, by] = [reader.whole(), reader.text(), reader.text(), reader.text()];
      const change = SERVICE_CHANGES.find((known) => known === word);
      return change && { type: 'service.changed', change, serviceId, by, at };
    }
    default:
      return undefined;
  }
}
