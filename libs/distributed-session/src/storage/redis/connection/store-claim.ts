import { FeedKey } from '../feed/feed-key.js';
import { FORMAT } from '../records/stored-session.js';
import { claimStoreScript } from '../scripts/claim-store.script.js';
import type { SessionKeys } from '../session-keys.js';
import type { RedisConnection, Reply } from './redis-connection.js';
import type { RedisRights } from './redis-rights.js';

/** Whose store it is. */
export interface StoreClaim {
  /** The error that forbids this process to use the store, or `undefined`. */
  readonly error?: string;
  /** The key that authenticates the feed. Absent if the store has none and this process may not claim it. */
  readonly storedFeedKey?: string;
}

/** A store of an earlier format, whose user may not upgrade it. */
const EARLIER_FORMAT =
  'its sessions were written by an earlier release: start one process with the role owner, which upgrades the store';

/**
 * Reads whose store it is. The first process that may write claims an empty store, and one of an earlier format. A store
 * that has lost all its data receives the feed key of the first process that notices, so that the other processes
 * recognise its messages.
 */
export async function storeClaim(
  connection: RedisConnection,
  keys: SessionKeys,
  feedKey: FeedKey,
  rights: RedisRights,
): Promise<StoreClaim> {
  const { meta, fingerprint } = keys;
  let claim = await read(connection.read('hmget', meta, 'format', 'fingerprint', 'feedKey'));
  const isEarlier = claim.format !== undefined && Number(claim.format) < FORMAT;
  if (isEarlier && rights.may('claim') && !rights.may('upgrade')) return { error: EARLIER_FORMAT };
  const isClaimed = Object.values(claim).every((value) => value !== undefined);
  if (rights.may('claim') && (!isClaimed || isEarlier)) {
    claim = await read(
      connection.run(claimStoreScript, { meta }, { format: FORMAT, fingerprint, feedKey: feedKey.value }),
    );
  }
  const error = claimError(claim, keys);
  return error === undefined ? { storedFeedKey: claim.feedKey } : { error };
}

interface StoredClaim {
  readonly format: string | undefined;
  readonly fingerprint: string | undefined;
  readonly feedKey: string | undefined;
}

async function read(reply: Promise<Reply>): Promise<StoredClaim> {
  const values = (await reply) as readonly (Buffer | null)[];
  const [format, fingerprint, feedKey] = values.map((value) => value?.toString());
  return { format, fingerprint, feedKey };
}

function claimError({ format, fingerprint, feedKey }: StoredClaim, keys: SessionKeys): string | undefined {
  if (Number(format ?? FORMAT) > FORMAT) {
    return 'its sessions were written by a later release: upgrade to that release, or use another keyPrefix';
  }
  if (fingerprint !== undefined && fingerprint !== keys.fingerprint) {
    return 'its sessions were written with a different tagKey: set the same tagKey in every service, or use another keyPrefix';
  }
  if (feedKey !== undefined && !FeedKey.isValid(feedKey)) {
    return `the key of its change feed is damaged: delete it with HDEL '${keys.meta}' feedKey`;
  }
  return undefined;
}
