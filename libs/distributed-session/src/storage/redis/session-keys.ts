import { randomBytes } from 'node:crypto';
import { stringify } from 'uuid';
import { isSessionId } from '../../model/session-id.js';
import { type TagKeyText, TagKeys } from './tag-keys.js';

/** The 256 shards of the sessions. Each has its own hash tag, so that a cluster can distribute them. */
export const SHARDS: readonly string[] = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

/** The tag in a session id, which is a UUID version 8. */
const TAG_IN_ID = /^([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-[89ab]/;
export const LOGIN_TAG = /^[0-9a-f]{15}$/;

/** The keys of one shard. They and the keys of its users are in one cluster slot. */
export interface ShardKeys {
  /** Sorted set: login tags, scored by earliest expiry and number of live sessions. */
  readonly expiries: string;
  /** Sorted set with scores of 0: the tags of users with live sessions, in the order of the pages. */
  readonly online: string;
  /** String: the number of live sessions. */
  readonly counter: string;
  /** String with a time to live: the number of published changes. */
  readonly sequence: string;
  /** String with a time to live: the process that sets it sends the heartbeat of this shard. */
  readonly beat: string;
}

/**
 * The names of all keys. A user's key contains a tag: the first 60 bits of HMAC-SHA-256(tag key, login id), as 15
 * hexadecimal digits. A session id is a UUID version 8 (RFC 9562) whose first 60 free bits are the tag, so that the key
 * follows from the id; the other 62 bits are random.
 */
export class SessionKeys {
  readonly #shards: ReadonlyMap<string, ShardKeys>;
  /** The pub/sub channel of the change feed. */
  readonly channel: string;
  /** Hash: the format of the data, the fingerprints of the tag keys, and the key of the change feed. */
  readonly meta: string;
  /** Hash: service id to record. */
  readonly services: string;
  /** Hash: key id of a secret to service id. In the slot of `services`. */
  readonly serviceKeyIds: string;
  /** String with a time to live: the number of published service changes. In the slot of `services`. */
  readonly serviceSequence: string;
  /** The `sequence` of each shard, then `serviceSequence`. */
  readonly sequences: readonly string[];
  readonly tagKeys: TagKeys;
  readonly #prefix: string;

  /** @param database - The keys' database. It is part of the channel's name, because databases share their channels. */
  constructor(prefix: string, tagKey?: TagKeyText | readonly TagKeyText[], database = 0) {
    this.#prefix = prefix;
    this.tagKeys = new TagKeys(prefix, tagKey);
    this.channel = database === 0 ? `${prefix}:changes` : `${prefix}:changes:${database}`;
    this.meta = `{${prefix}}:meta`;
    this.services = `{${prefix}}:svc`;
    this.serviceKeyIds = `{${prefix}}:svc:keys`;
    this.serviceSequence = `{${prefix}}:svc:s`;
    this.#shards = new Map(
      SHARDS.map((shard) => {
        const name = (role: string) => `{${prefix}:${shard}}:${role}`;
        return [
          shard,
          { expiries: name('e'), online: name('o'), counter: name('n'), sequence: name('s'), beat: name('b') },
        ];
      }),
    );
    this.sequences = [...SHARDS.map((shard) => this.shard(shard).sequence), this.serviceSequence];
  }

  /** Returns the tag of a user under the key that is used at a time of the server's clock. */
  tagOfLogin(loginId: string, now = Infinity): string {
    return this.tagKeys.at(now).tagOf(loginId);
  }

  /** Returns `undefined` for a text that is not a session id of this storage: no session can have it. */
  tagOfSession(sessionId: string): string | undefined {
    const parts = isSessionId(sessionId) ? TAG_IN_ID.exec(sessionId) : null;
    return parts ? `${parts[1]}${parts[2]}${parts[3]}` : undefined;
  }

  /** Hash of a user: session id to record or tombstone. */
  login(tag: string): string {
    return `{${this.#prefix}:${tag.slice(0, 2)}}:u:${tag}`;
  }

  /** A key in the place of a user's, for a check at start. No user has it. */
  probe(shard: string, nonce: string): string {
    return this.login(`${shard}:probe:${nonce}`);
  }

  /** The keys of a user and of its shard. */
  all(tag: string): ShardKeys & { readonly login: string } {
    return { login: this.login(tag), ...this.shard(tag.slice(0, 2)) };
  }

  shard(shard: string): ShardKeys {
    return this.#shards.get(shard)!;
  }

  /** @param tag - The tag of the user under any of the keys. */
  newSessionId(loginId: string, tag = this.tagOfLogin(loginId)): string {
    const random = randomBytes(8);
    random[0] = (random[0]! & 0x3f) | 0x80;
    return stringify(Buffer.concat([Buffer.from(`${tag.slice(0, 12)}8${tag.slice(12)}`, 'hex'), random]));
  }
}
