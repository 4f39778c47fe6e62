import { Logger } from '@nestjs/common';
import type { RedisConnection } from '../connection/redis-connection.js';
import type { RedisRights } from '../connection/redis-rights.js';
import { type TagKeyMessage, packTagKeyMessage } from '../records/change-message.js';
import { changeTagKeyScript } from '../scripts/change-tag-key.script.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { SessionKeys } from '../session-keys.js';
import type { RedisChangeFeed } from './redis-change-feed.js';

/** A change waits for this time, or this number of heartbeats, in which no process objects. */
const MIN_QUIET_MS = 2_000;
const QUIET_ROUNDS = 10;
/** A process that missed so many of its own heartbeats was suspended, and may have missed objections. */
const MISSED_ROUNDS = 3;
/** The new key is used this long after it was stored: longer than a call that has read the old one may take. */
const MIN_LEAD_MS = 2_000;
/** At most one objection in this time. */
const OBJECTION_MS = 100;

interface ChangeContext {
  readonly connection: RedisConnection;
  readonly keys: SessionKeys;
  readonly clock: ServerClock;
  readonly feed: RedisChangeFeed;
  readonly rights: RedisRights;
}

interface ChangeTimes {
  readonly intervalMs: number;
  readonly deadlineMs: number;
}

/**
 * Changes the key of the tags once every process has the new one. A process whose first key is not the one of the store
 * proposes it on the feed with each heartbeat, and a process without that key objects. When none has objected for ten
 * heartbeats, the store receives the new key, so that no running process lacks it.
 */
export class TagKeyChange {
  readonly #logger = new Logger('RedisSessionStorage');
  /** Since when nobody has objected. */
  #quietSince: number | undefined;
  #lastRound = -Infinity;
  #objectedAt = -Infinity;
  readonly #logged = new Set<string>();

  constructor(
    private readonly context: ChangeContext,
    private readonly times: ChangeTimes,
    private readonly publish: (content: Buffer) => Promise<void>,
  ) {
    context.feed.onTagKey = (message) => this.#receive(message);
  }

  /** Runs with each heartbeat. */
  async round(): Promise<void> {
    const { keys, clock, feed, rights } = this.context;
    const { first, stored } = keys.tagKeys;
    const now = clock.monotonic();
    const wasSuspended = now - this.#lastRound > MISSED_ROUNDS * this.times.intervalMs;
    this.#lastRound = now;
    if (first.fingerprint === stored.current || clock.now() < stored.switchAt) return this.#restart();
    if (!rights.may('beat') || !rights.may('upgrade')) return this.#log('warn', NO_RIGHT);
    if (!feed.isAlive || wasSuspended) this.#restart();
    await this.publish(packTagKeyMessage({ type: 'tag-key.proposed', fingerprint: first.fingerprint }));
    this.#quietSince ??= now;
    if (now - this.#quietSince >= Math.max(MIN_QUIET_MS, QUIET_ROUNDS * this.times.intervalMs)) await this.#change();
  }

  async #change(): Promise<void> {
    const { connection, keys } = this.context;
    const { first, stored } = keys.tagKeys;
    this.#restart();
    const lead = Math.max(MIN_LEAD_MS, 2 * this.times.deadlineMs);
    const args = { expected: stored.current, next: first.fingerprint, lead };
    const changed = await connection.run(changeTagKeyScript, { meta: keys.meta }, args);
    if (changed === 1)
      this.#logger.log('The store uses the first tagKey from now on. Keep the earlier one: docs/keys.md.');
  }

  #receive({ type, fingerprint }: TagKeyMessage): void {
    const { keys, clock, rights } = this.context;
    if (type === 'tag-key.unknown') {
      if (fingerprint !== keys.tagKeys.first.fingerprint || fingerprint === keys.tagKeys.stored.current) return;
      this.#restart();
      return this.#log('log', OBJECTED);
    }
    if (keys.tagKeys.has(fingerprint)) return;
    this.#log('warn', PROPOSED);
    if (!rights.may('beat') || clock.monotonic() - this.#objectedAt < OBJECTION_MS) return;
    this.#objectedAt = clock.monotonic();
    // A lost objection is repeated at the next proposal.
    this.publish(packTagKeyMessage({ type: 'tag-key.unknown', fingerprint })).catch(() => undefined);
  }

  #restart(): void {
    this.#quietSince = undefined;
  }

  #log(level: 'log' | 'warn', text: string): void {
    if (this.#logged.has(text)) return;
    this.#logged.add(text);
    this.#logger[level](text);
  }
}

const NO_RIGHT =
  'The store uses another tagKey than the first one, and the Redis user may not change that. Start one process with the role owner.';
const OBJECTED =
  'The store keeps its tagKey until every process has the new one: a process is running that does not have it.';
const PROPOSED =
  'Another process has a new tagKey that this one does not have. The store keeps its tagKey until this process has stopped, or has the new one, too.';
