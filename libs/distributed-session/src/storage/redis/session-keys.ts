import { createHmac, randomBytes } from 'node:crypto';
import { stringify } from 'uuid';
import { isSessionId } from '../../model/session-id.js';

/** The sessions are spread over so many shards, each with its own hash tag, so that a cluster can part them. */
export const SHARDS: readonly string[] = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

/** The tag in a session id, which is a UUID version 8. */
const TAG_IN_ID = /^([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-[89ab]/;
export const LOGIN_TAG = /^[0-9a-f]{15}$/;

/** The keys of one shard. All of them, and those of its logins, are in one slot of a cluster. */
export interface ShardKeys {
  /** Sorted set: login tags by earliest expiry and number of live sessions. */
  readonly expiries: string;
  /** Sorted set, all scores 0: the tags of logins with live sessions, in an order that pages can go by. */
  readonly online: string;
  /** String: how many sessions are live. */
  readonly counter: string;
  /** String with a time to live: how many changes were announced. */
  readonly sequence: string;
  /** String with a time to live: whoever sets it sends the heartbeat of this shard. */
  readonly beat: string;
}

/**
 * Names every key. A login is found by its tag: the first 60 bits of HMAC-SHA-256(tag key, login id), as 15 hexadecimal
 * digits. A session id is a UUID version 8 (RFC 9562) whose first 60 free bits are the tag, so that whoever knows the
 * id knows the key; the other 62 are random.
 */
export class SessionKeys {
  readonly #shards: ReadonlyMap<string, ShardKeys>;
  /** The pub/sub channel of the change feed. */
  readonly channel: string;
  /** Hash: the format of the data, and the fingerprint of the tag key. */
  readonly meta: string;
  /** Hash: service id to its record. */
  readonly services: string;
  /** Hash: key id of a secret to the id of its service. In the slot of `services`. */
  readonly serviceKeyIds: string;
  /** String with a time to live: how many changes of services were announced. In the slot of `services`. */
  readonly serviceSequence: string;
  /** What the store says of the tag key, so that services with different ones notice. It does not tell the key. */
  readonly fingerprint: string;
  readonly #prefix: string;
  readonly #tagKey: string | Uint8Array;

  /** @param database that of the keys: the channel, of which Redis has one for all its databases, is named after it. */
  constructor(prefix: string, tagKey: string | Uint8Array = prefix, database = 0) {
    this.#prefix = prefix;
    // Its owner may wipe the bytes.
    this.#tagKey = typeof tagKey === 'string' ? tagKey : Uint8Array.from(tagKey);
    this.channel = database === 0 ? `${prefix}:changes` : `${prefix}:changes:${database}`;
    this.meta = `{${prefix}}:meta`;
    this.services = `{${prefix}}:svc`;
    this.serviceKeyIds = `{${prefix}}:svc:keys`;
    this.serviceSequence = `{${prefix}}:svc:s`;
    this.fingerprint = createHmac('sha256', tagKey).update('fingerprint of the tag key').digest('hex').slice(0, 16);
    this.#shards = new Map(
      SHARDS.map((shard) => {
        const name = (role: string) => `{${prefix}:${shard}}:${role}`;
        return [
          shard,
          { expiries: name('e'), online: name('o'), counter: name('n'), sequence: name('s'), beat: name('b') },
        ];
      }),
    );
  }

  tagOfLogin(loginId: string): string {
    return createHmac('sha256', this.#tagKey).update(loginId).digest('hex').slice(0, 15);
  }

  /** `undefined` for what is no session id of this storage: nothing can be stored under it. */
  tagOfSession(sessionId: string): string | undefined {
    const parts = isSessionId(sessionId) ? TAG_IN_ID.exec(sessionId) : null;
    return parts ? `${parts[1]}${parts[2]}${parts[3]}` : undefined;
  }

  /** Hash: session id to record or tombstone, of one login. */
  login(tag: string): string {
    return `{${this.#prefix}:${tag.slice(0, 2)}}:u:${tag}`;
  }

  /** The keys of a login and of its shard. */
  all(tag: string): ShardKeys & { readonly login: string } {
    return { login: this.login(tag), ...this.shard(tag.slice(0, 2)) };
  }

  shard(shard: string): ShardKeys {
    return this.#shards.get(shard)!;
  }

  newSessionId(loginId: string): string {
    const tag = this.tagOfLogin(loginId);
    const random = randomBytes(8);
    random[0] = (random[0]! & 0x3f) | 0x80;
    return stringify(Buffer.concat([Buffer.from(`${tag.slice(0, 12)}8${tag.slice(12)}`, 'hex'), random]));
  }
}
