import { StorageUnavailableError } from '../../../errors/storage.errors.js';
import { FeedKey } from '../feed/feed-key.js';
import { FORMAT, OLDEST } from '../records/stored-session.js';
import { claimStoreScript } from '../scripts/claim-store.script.js';
import type { SessionKeys } from '../session-keys.js';
import type { StoredTagKeys } from '../tag-keys.js';
import type { RedisConnection, Reply } from './redis-connection.js';
import type { RedisRights } from './redis-rights.js';

/** Whose store it is. */
export interface StoreClaim {
  /** The error that forbids this process to use the store, or `undefined`. */
  readonly error?: string;
  /** The key that authenticates the feed. Absent if the store has none and this process may not claim it. */
  readonly storedFeedKey?: string;
  /** A later release writes to the store, too, and this one works with that. */
  readonly warning?: string;
  /** Which keys of the tags the store uses. Absent if nobody has claimed it. */
  readonly tagKeys?: StoredTagKeys;
}

/** What a claimed store has. */
const CLAIMED = ['format', 'oldest', 'oldestRelease', 'fingerprint', 'feedKey'] as const;
/** All fields, in the order in which the script returns them. */
const FIELDS = [...CLAIMED, 'earlier', 'switchAt'] as const;

/** A store of an earlier format, whose user may not upgrade it. */
const EARLIER_FORMAT =
  'its sessions were written by an earlier release: start one process with the role owner, which upgrades the store';

/** A store of a later format that works with this release. */
const LATER_FORMAT =
  'A later release writes to this store, too. This release works with it, but cannot read the sessions that it has ' +
  'written in a later format. Upgrade this process as well.';

/**
 * Reads whose store it is, and follows it to the tag key that it uses. The first process that may write claims an empty
 * store, and one of an earlier format. A store that has lost all its data receives the feed key of the first process that
 * notices, so that the other processes recognise its messages, and the tag key that it used.
 */
export async function storeClaim(
  connection: RedisConnection,
  keys: SessionKeys,
  feedKey: FeedKey,
  rights: RedisRights,
): Promise<StoreClaim> {
  const { meta, tagKeys } = keys;
  let claim = await read(connection.read('hmget', meta, ...FIELDS));
  const { format, oldest = format } = claim;
  const isEarlier = format !== undefined && (Number(format) < FORMAT || Number(oldest) < OLDEST.format);
  if (isEarlier && rights.may('claim') && !rights.may('upgrade')) return { error: EARLIER_FORMAT };
  const isClaimed = CLAIMED.every((field) => claim[field] !== undefined);
  // The store of a later format that does not say what works with it is not this one's to mark.
  const isLater = Number(oldest ?? FORMAT) > FORMAT;
  if (rights.may('claim') && !isLater && (!isClaimed || isEarlier)) {
    const isOurs = claim.fingerprint !== undefined && tagKeys.has(claim.fingerprint);
    const fingerprint = isOurs ? claim.fingerprint! : tagKeys.stored.current;
    claim = await read(
      connection.run(
        claimStoreScript,
        { meta },
        { format: FORMAT, oldest: OLDEST.format, oldestRelease: OLDEST.release, fingerprint, feedKey: feedKey.value },
      ),
    );
  }
  const error = claimError(claim, keys);
  if (error !== undefined) return { error };
  const stored = storedTagKeys(claim);
  if (stored) tagKeys.follow(stored);
  const isShared = Number(claim.format) > FORMAT;
  return { storedFeedKey: claim.feedKey, tagKeys: stored, ...(isShared && { warning: LATER_FORMAT }) };
}

/**
 * Reads which tag key the store uses now, and follows it.
 *
 * @throws {StorageUnavailableError} when this process does not have it.
 */
export async function followTagKey(connection: RedisConnection, keys: SessionKeys): Promise<void> {
  const claim = await read(connection.read('hmget', keys.meta, ...FIELDS));
  const error = claimError(claim, keys);
  if (error !== undefined) throw new StorageUnavailableError(`This Redis server cannot be used: ${error}.`);
  const stored = storedTagKeys(claim);
  if (stored) keys.tagKeys.follow(stored);
}

type StoredClaim = Readonly<Record<(typeof FIELDS)[number], string | undefined>>;

async function read(reply: Promise<Reply>): Promise<StoredClaim> {
  const values = (await reply) as readonly (Buffer | null)[];
  return Object.fromEntries(FIELDS.map((field, index) => [field, values[index]?.toString()])) as StoredClaim;
}

function storedTagKeys({ fingerprint, earlier, switchAt }: StoredClaim): StoredTagKeys | undefined {
  if (fingerprint === undefined) return undefined;
  return {
    current: fingerprint,
    earlier: (earlier ?? '').split(' ').filter((each) => each !== ''),
    switchAt: Number(switchAt ?? 0),
  };
}

function claimError(
  { format, oldest = format, oldestRelease, fingerprint, feedKey }: StoredClaim,
  keys: SessionKeys,
): string | undefined {
  if (Number(oldest ?? FORMAT) > FORMAT) {
    const release = oldestRelease === undefined ? 'that release' : `${oldestRelease} or later`;
    return `its sessions were written by a later release: install ${release}, or use another keyPrefix`;
  }
  if (fingerprint !== undefined && !keys.tagKeys.has(fingerprint)) {
    const change = 'to change it, list both (docs/keys.md)';
    return `its sessions were written with a different tagKey: set the same tagKey in every service (${change}), or use another keyPrefix`;
  }
  if (feedKey !== undefined && !FeedKey.isValid(feedKey)) {
    return `the key of its change feed is damaged: delete it with HDEL '${keys.meta}' feedKey`;
  }
  return undefined;
}
