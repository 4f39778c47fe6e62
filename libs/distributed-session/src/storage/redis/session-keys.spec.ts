import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Command } from 'ioredis';
import { validate, version } from 'uuid';
import { SHARDS, SessionKeys } from './session-keys.js';

const TAG_KEY = 'the tag key of the test';
const keys = new SessionKeys('ds', TAG_KEY);
const loginIds = fc.string({ unit: 'binary', maxLength: 60 });

const isId = (text: string): boolean => validate(text) && version(text) === 8 && text === text.toLowerCase();
const slotOf = (key: string): number => new Command('get', [key]).getSlot();

describe('SessionKeys', () => {
  it('generates unique session ids: UUIDs of version 8 that contain the tag of their user', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(loginIds, (loginId) => {
        const sessionId = keys.newSessionId(loginId);
        expect([validate(sessionId), version(sessionId)]).toEqual([true, 8]);
        expect(keys.tagOfSession(sessionId)).toBe(keys.tagOfLogin(loginId));
        expect(seen.has(sessionId)).toBe(false);
        seen.add(sessionId);
      }),
      { numRuns: 1_000 },
    );
  });

  it('generates session ids with 62 random bits', () => {
    const ids = Array.from({ length: 500 }, () => BigInt(`0x${keys.newSessionId('alice').replaceAll('-', '')}`));
    const changing = ids.reduce((bits, id) => bits | (id ^ ids[0]!), 0n);
    expect(changing).toBe(2n ** 62n - 1n);
  });

  it('accepts only lower-case UUIDs of version 8 as session ids, out of 10,000 similar strings', () => {
    const id = keys.newSessionId('alice');
    const edited = fc
      .tuple(fc.nat(id.length), fc.nat(2), fc.string({ unit: 'binary', maxLength: 3 }))
      .map(([at, dropped, added]) => id.slice(0, at) + added + id.slice(at + dropped));
    fc.assert(
      fc.property(fc.oneof(edited, fc.string({ unit: 'binary' })), (text) => {
        expect([text, keys.tagOfSession(text) !== undefined]).toEqual([text, isId(text)]);
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ['of another version', randomUUID()],
    ['in upper case', keys.newSessionId('alice').toUpperCase()],
    ['with a line break behind it', `${keys.newSessionId('alice')}\n`],
    ['in braces', `{${keys.newSessionId('alice')}}`],
    ['of another variant', keys.newSessionId('alice').replace(/^(.{19})./, '$1c')],
  ])('rejects a UUID %s as a session id', (_name, text) => {
    expect(keys.tagOfSession(text)).toBeUndefined();
  });

  it('derives tags and the fingerprint from the tag key alone', () => {
    const other = new SessionKeys('ds', `${TAG_KEY}!`);
    expect(other.tagOfLogin('alice')).not.toBe(keys.tagOfLogin('alice'));
    expect(other.tagKeys.first.fingerprint).not.toBe(keys.tagKeys.first.fingerprint);
    const bytes = new SessionKeys('another-prefix', Buffer.from(TAG_KEY));
    expect(bytes.tagOfLogin('alice')).toBe(keys.tagOfLogin('alice'));
    expect(bytes.tagKeys.first.fingerprint).toBe(keys.tagKeys.first.fingerprint);
  });

  it('has the tags of a user under all tag keys, and none stands for the prefix', () => {
    const both = new SessionKeys('ds', [`${TAG_KEY}!`, TAG_KEY]);
    const [first, second] = [new SessionKeys('ds', `${TAG_KEY}!`), keys].map((each) => each.tagOfLogin('alice'));
    expect(both.tagKeys.tagsOf('alice')).toEqual([first, second]);
    expect(both.tagOfLogin('alice')).toBe(first);
    const [unkeyed, plain] = [new SessionKeys('ds', 'none'), new SessionKeys('ds')];
    expect(unkeyed.tagOfLogin('alice')).toBe(plain.tagOfLogin('alice'));
    expect(plain.tagOfLogin('alice')).toBe(new SessionKeys('other', Buffer.from('ds')).tagOfLogin('alice'));
  });

  it('uses the last earlier tag key of the store until the time of the change, and the current one from then on', () => {
    const both = new SessionKeys('ds', [`${TAG_KEY}!`, TAG_KEY]);
    const [first, second] = both.tagKeys.tagsOf('alice');
    const [next, old] = [both.tagKeys.first.fingerprint, keys.tagKeys.first.fingerprint];
    both.tagKeys.follow({ current: old, earlier: [], switchAt: 0 });
    expect(both.tagOfLogin('alice', 1_000)).toBe(second);
    both.tagKeys.follow({ current: next, earlier: [old], switchAt: 2_000 });
    expect([1_999, 2_000, 3_000].map((now) => both.tagOfLogin('alice', now))).toEqual([second, first, first]);
  });

  it('keeps its tags after the caller has wiped the bytes of the tag key', () => {
    const tagKey = randomBytes(32);
    const wiped = new SessionKeys('ds', tagKey);
    const tag = wiped.tagOfLogin('alice');
    tagKey.fill(0);
    expect(wiped.tagOfLogin('alice')).toBe(tag);
  });

  it('reveals neither the tag key nor a login id in key names, and publishes 64 bits of a digest as fingerprint', () => {
    expect(keys.tagKeys.first.fingerprint).toMatch(/^[0-9a-f]{16}$/u);
    expect(keys.tagKeys.first.fingerprint).not.toBe(
      new SessionKeys('ds', 'fingerprint of the tag key').tagKeys.first.fingerprint,
    );
    const names = JSON.stringify([
      keys.all(keys.tagOfLogin('alice')),
      keys.channel,
      keys.meta,
      keys.tagKeys.first.fingerprint,
    ]);
    for (const secret of [TAG_KEY, 'alice', Buffer.from(TAG_KEY).toString('hex')]) expect(names).not.toContain(secret);
  });

  it('puts all keys of a user, and all keys of the services, into one cluster slot each', () => {
    fc.assert(
      fc.property(loginIds, (loginId) => {
        const names = Object.values(keys.all(keys.tagOfLogin(loginId)));
        expect(names).toHaveLength(6);
        expect(new Set(names.map(slotOf)).size).toBe(1);
      }),
    );
    expect(new Set([keys.services, keys.serviceKeyIds, keys.serviceSequence, keys.meta].map(slotOf)).size).toBe(1);
  });

  it('has 256 shards that share no key and are distributed over the cluster slots', () => {
    expect(new Set(SHARDS).size).toBe(256);
    const names = SHARDS.flatMap((shard) => Object.values(keys.shard(shard)));
    expect(new Set(names).size).toBe(256 * 5);
    expect(new Set(SHARDS.map((shard) => slotOf(keys.shard(shard).counter))).size).toBeGreaterThan(250);
  });

  it('uses a different channel in each database', () => {
    const channels = [undefined, 0, 1, 15].map((database) => new SessionKeys('ds', TAG_KEY, database).channel);
    expect(channels).toEqual(['ds:changes', 'ds:changes', 'ds:changes:1', 'ds:changes:15']);
  });

  it('shares no key or channel with another prefix', () => {
    const [one, other] = [new SessionKeys('ds'), new SessionKeys('ds:1')].map(({ channel, meta, services }) => [
      channel,
      meta,
      services,
    ]);
    expect(one!.filter((name) => other!.includes(name))).toEqual([]);
  });
});
