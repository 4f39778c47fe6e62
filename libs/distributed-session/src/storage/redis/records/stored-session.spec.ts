import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { validate } from 'uuid';
import { packedIdentity, packedRecord, packedTombstone } from '../../../../../../test/support/redis/packed-session.js';
import { sessionArbitraries } from '../../../../../../test/support/storage/record-arbitraries.js';
import { isRecordedEndReason } from '../../../model/end-reason.js';
import type { SessionRecord, SessionTombstone } from '../../session-record.js';
import { UnreadableValueError, packEnding, packIdentity, unpackRedisSession } from './stored-session.js';

const maxVersion = 2 ** 32 - 1;
const { records, tombstones } = sessionArbitraries({
  uuidVersion: 8,
  maxVersion,
  times: fc.integer({ min: 1, max: 2 ** 52 }),
});
const place = fc.record({
  place: fc.integer({ min: 1, max: maxVersion }),
  historyRetentionMs: fc.integer({ min: 0, max: 2 ** 51 }),
});

const RECORD: SessionRecord = {
  state: 'live',
  sessionId: '01234567-89ab-8cde-8f01-23456789abcd',
  loginId: 'älice',
  serviceId: 'orders',
  device: 'web',
  version: 3,
  createdAt: 1_700_000_000_000,
  lastAccessedAt: 1_700_000_001_000,
  idleTimeoutMs: 60_000,
  expiresAt: 1_700_000_061_000,
  absoluteExpiresAt: 1_700_003_600_000,
  tokenDigest: 'digest',
  payload: Uint8Array.of(1, 2, 3),
};
const TOMBSTONE: SessionTombstone = {
  state: 'ended',
  sessionId: RECORD.sessionId,
  loginId: RECORD.loginId,
  serviceId: RECORD.serviceId,
  version: 3,
  createdAt: RECORD.createdAt,
  lastAccessedAt: RECORD.lastAccessedAt,
  tokenDigest: 'digest',
  reason: 'rotated',
  endedAt: 1_700_000_002_000,
  endedBy: 'orders',
  actor: 'job',
  rotatedTo: '01234567-89ab-8cde-9f01-23456789abcd',
  graceEndsAt: 1_700_000_012_000,
};
const FIRST_GOLDEN_RECORD =
  '014c030000000700000000008056febc78420080be56febc784200806465febc7842000068c501bd784200000000004ced40' +
  '0000000070999441390030313233343536372d383961622d386364652d386630312d3233343536373839616263640600c3a4' +
  '6c696365030077656206006f7264657273010203';
const FIRST_GOLDEN_TOMBSTONE =
  '0145030000000700000000008056febc78420080be56febc78420000fd56febc78420000bdbc50bd784200006e59febc7842' +
  '0000000000000000360030313233343536372d383961622d386364652d386630312d3233343536373839616263640600c3a4' +
  '6c696365ffff06006f72646572730700726f746174656406006f726465727303006a6f62240030313233343536372d383961' +
  '622d386364652d396630312d323334353637383961626364';
const GOLDEN_RECORD =
  '024c030000000700000000008056febc78420080be56febc784200806465febc7842000068c501bd784200000000004ced40' +
  '0000000070999441390030313233343536372d383961622d386364652d386630312d3233343536373839616263640600c3a4' +
  '6c696365030077656206006f72646572730600646967657374010203';
const GOLDEN_TOMBSTONE =
  '0245030000000700000000008056febc78420080be56febc78420000fd56febc78420000bdbc50bd784200006e59febc7842' +
  '0000000000000000360030313233343536372d383961622d386364652d386630312d3233343536373839616263640600c3a4' +
  '6c696365ffff06006f726465727306006469676573740700726f746174656406006f726465727303006a6f62240030313233' +
  '343536372d383961622d386364652d396630312d323334353637383961626364';
const PLACE = { place: 7, historyRetentionMs: 86_400_000 };

/** Whether a value is read as a valid session, as an invalid one, or not at all. */
function readingOf(value: Buffer): 'valid' | 'invalid' | 'unreadable' {
  try {
    const { session } = unpackRedisSession(value);
    const { state, sessionId, createdAt, lastAccessedAt } = session;
    const end = state === 'live' ? session.expiresAt : session.endedAt;
    const areTimes = [createdAt, lastAccessedAt, end].every((each) => Number.isSafeInteger(each) && each >= 0);
    const isEnding =
      state === 'live' ||
      (isRecordedEndReason(session.reason) && (session.reason !== 'rotated' || 'rotatedTo' in session));
    return validate(sessionId) && areTimes && isEnding ? 'valid' : 'invalid';
  } catch (error) {
    return error instanceof UnreadableValueError ? 'unreadable' : 'invalid';
  }
}

describe('the stored form of a session', () => {
  it('is byte for byte the format of the first release', () => {
    expect(packedRecord(RECORD, PLACE).toString('hex')).toBe(GOLDEN_RECORD);
    expect(packedTombstone(TOMBSTONE, PLACE).toString('hex')).toBe(GOLDEN_TOMBSTONE);
    expect(unpackRedisSession(Buffer.from(GOLDEN_RECORD, 'hex')).session).toEqual(RECORD);
    expect(unpackRedisSession(Buffer.from(GOLDEN_TOMBSTONE, 'hex')).session).toEqual(TOMBSTONE);
  });

  it('of the first format is read, without a token digest', () => {
    const [{ tokenDigest: _, ...record }, { tokenDigest: __, ...tombstone }] = [RECORD, TOMBSTONE];
    expect(packedRecord(record, PLACE, 1).toString('hex')).toBe(FIRST_GOLDEN_RECORD);
    expect(packedTombstone(tombstone, PLACE, 1).toString('hex')).toBe(FIRST_GOLDEN_TOMBSTONE);
    expect(unpackRedisSession(Buffer.from(FIRST_GOLDEN_RECORD, 'hex')).session).toEqual(record);
    expect(unpackRedisSession(Buffer.from(FIRST_GOLDEN_TOMBSTONE, 'hex')).session).toEqual(tombstone);
  });

  it('preserves every live session with any texts, its place and the end of its history', () => {
    fc.assert(
      fc.property(records, place, (session, stands) => {
        const purgeAt = session.expiresAt + stands.historyRetentionMs;
        const unpacked = unpackRedisSession(packedRecord(session, stands));
        expect(unpacked).toEqual({ session, place: stands.place, purgeAt });
      }),
    );
  });

  it('preserves every tombstone', () => {
    fc.assert(
      fc.property(tombstones, place, (session, stands) => {
        const unpacked = unpackRedisSession(packedTombstone(session, stands));
        expect(unpacked).toEqual({
          session,
          place: stands.place,
          purgeAt: session.endedAt + stands.historyRetentionMs,
        });
      }),
    );
  });

  it('contains the packed identity and ending unchanged', () => {
    fc.assert(
      fc.property(records, (session) => {
        expect(packIdentity(session)).toEqual(packedIdentity(session));
      }),
    );
    const { endedBy: by, actor, rotatedTo } = TOMBSTONE;
    const ending = packEnding({ reason: 'rotated', by, actor, rotatedTo });
    expect(packedTombstone(TOMBSTONE, PLACE).subarray(-ending.length)).toEqual(ending);
  });

  it('is unreadable unless exactly the rotated sessions have a successor', () => {
    const { rotatedTo: _, ...without } = TOMBSTONE;
    expect(readingOf(packedTombstone(without, PLACE))).toBe('unreadable');
    expect(readingOf(packedTombstone({ ...TOMBSTONE, reason: 'limit' }, PLACE))).toBe('unreadable');
  });

  it('is copied: changing the value later does not change the session', () => {
    const value = packedRecord(RECORD, PLACE);
    const { session } = unpackRedisSession(value);
    value.fill(0);
    expect(session).toEqual(RECORD);
  });

  it('is unreadable if it is truncated anywhere before the payload, whose format is opaque', () => {
    for (const value of [packedRecord(RECORD, PLACE), packedTombstone(TOMBSTONE, PLACE)]) {
      const readable = value[1] === 'L'.charCodeAt(0) ? value.length - RECORD.payload.length : value.length;
      for (let cut = 0; cut < value.length; cut++) {
        expect([cut, readingOf(value.subarray(0, cut))]).toEqual([cut, cut < readable ? 'unreadable' : 'valid']);
      }
    }
  });

  it('is either a valid session or unreadable after any of its bytes has changed', () => {
    const values = [
      packedRecord(RECORD, PLACE),
      packedTombstone(TOMBSTONE, PLACE),
      packedTombstone({ ...TOMBSTONE, reason: 'limit', rotatedTo: undefined, graceEndsAt: undefined }, PLACE),
    ];
    for (const value of values) {
      for (let at = 0; at < value.length; at++) {
        for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
          const flipped = Buffer.from(value);
          flipped[at]! ^= mask;
          expect([at, mask, readingOf(flipped)]).not.toEqual([at, mask, 'invalid']);
        }
      }
    }
  });

  it('is unreadable if it is random bytes, or a tombstone is followed by other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readingOf(Buffer.from(bytes))).toBe('unreadable');
      }),
    );
    expect(readingOf(Buffer.concat([packedTombstone(TOMBSTONE, PLACE), Buffer.from([0])]))).toBe('unreadable');
  });

  it.each([3, 15])('in the later format %d has everything but its payload', (format) => {
    const { payload: _, ...header } = RECORD;
    const read = unpackRedisSession(packedRecord(RECORD, PLACE, format));
    expect(read).toEqual({
      ...unpackRedisSession(packedRecord(RECORD, PLACE)),
      session: { ...header, payload: new Uint8Array() },
      unreadable: 'newer-format',
    });
  });

  it('is a whole tombstone in a later format, which may add to its end, and a reason', () => {
    const tombstone = { ...TOMBSTONE, rotatedTo: undefined, reason: 'device-mismatch' };
    const value = Buffer.concat([packedTombstone(tombstone, PLACE, 3), Buffer.from('added')]);
    expect(unpackRedisSession(value).session).toMatchObject({ reason: 'device-mismatch', endedBy: 'orders' });
    expect(unpackRedisSession(value)).not.toHaveProperty('unreadable');
  });

  it.each([
    [16, true],
    [31, true],
    [32, false],
    [255, false],
    [0, false],
  ])('is unreadable in format %d; written by a later release: %s', (format, newerFormat) => {
    const value = packedRecord(RECORD, PLACE);
    value.writeUInt8(format, 0);
    expect(() => unpackRedisSession(value)).toThrow(expect.objectContaining({ newerFormat }));
    expect(() => unpackRedisSession(value)).toThrow(UnreadableValueError);
  });
});
