import type { FeedGapChange, ServiceChangedChange, StorageChange } from '../../storage-change.js';
import { ByteReader } from './bytes.js';
import { unpackEnding, unpackIdentity } from './stored-session.js';

/** The heartbeat of a shard: all changes that its server published before were delivered. */
export interface Beat {
  readonly type: 'beat';
  readonly shard: string;
  /** When it was sent, by the server's clock. */
  readonly at: number;
}

const SERVICE_CHANGES: readonly string[] = [
  'registered',
  'replaced',
  'secret-added',
  'secret-ended',
  'revoked',
] satisfies ServiceChangedChange['change'][];

/** A change and its number. The changes of a shard, and those of services, are numbered from 1 without gaps. */
export interface NumberedChange {
  readonly type: 'change';
  readonly number: number;
  readonly change: Exclude<StorageChange, FeedGapChange>;
}

/**
 * Reads a message that a script published: a letter for its kind, then
 *
 * - `C`, `U`: number (8 bytes), version (4), time (8), by (text), identity
 * - `E`, `R`: number, version, time, ending, identity
 * - `S`: number, time, change (text), service id (text), by (text)
 * - `B`: time, shard (text)
 *
 * Returns `undefined` for an unknown message: a later release or another program may publish on the channel.
 */
export function unpackRedisChange(message: Buffer): NumberedChange | Beat | undefined {
  try {
    const reader = new ByteReader(message);
    const kind = String.fromCharCode(reader.uint8());
    if (kind === 'B') return { type: 'beat', at: reader.whole(), shard: reader.text() };
    const number = reader.whole();
    const change = unpackKind(kind, reader);
    return change && reader.isAtEnd ? { type: 'change', number, change } : undefined;
  } catch {
    return undefined;
  }
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
      const change = { ...unpackIdentity(reader), version, by, at };
      if (reason === 'rotated') return rotatedTo ? { type: 'session.rotated', ...change, rotatedTo } : undefined;
      return { type: 'session.ended', ...change, reason, ...(actor !== undefined && { actor }) };
    }
    case 'S': {
      const [at, change, serviceId, by] = [reader.whole(), reader.text(), reader.text(), reader.text()];
      return isServiceChange(change) ? { type: 'service.changed', change, serviceId, by, at } : undefined;
    }
    default:
      return undefined;
  }
}

function isServiceChange(change: string): change is ServiceChangedChange['change'] {
  return SERVICE_CHANGES.includes(change);
}
