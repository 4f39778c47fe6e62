import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { double, packedIdentity, packedText, uint32 } from '../../../../../../test/support/redis/packed-session.js';
import { END_REASONS } from '../../../model/end-reason.js';
import { type Beat, packBeat, packRekeying, packTagKeyMessage, unpackRedisChange } from './change-message.js';

/** A message as the scripts pack it: a letter, then its parts. */
const message = (kind: string, ...parts: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from(kind), ...parts]);

const beatOf = (...texts: readonly (string | undefined)[]): Buffer => message('B', ...texts.map(packedText));

const text = fc.string({ unit: 'binary', maxLength: 60 });
const whole = fc.integer({ min: 1, max: 2 ** 52 });
const version = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const sessionIds = fc.uuid({ version: 8 });
const identities = fc.record(
  { sessionId: sessionIds, loginId: text, serviceId: text, device: text },
  { requiredKeys: ['sessionId', 'loginId', 'serviceId'] },
);
const origins = fc.record({ number: whole, version, at: whole, by: text });

describe('unpackRedisChange()', () => {
  it.each([
    ['C', 'session.created'],
    ['U', 'session.updated'],
  ])('unpacks %s as %s', (kind, type) => {
    fc.assert(
      fc.property(origins, identities, ({ number, by, ...rest }, identity) => {
        const head = [double(number), uint32(rest.version), double(rest.at)];
        const packed = message(kind, ...head, packedText(by), packedIdentity(identity));
        expect(unpackRedisChange(packed)).toEqual({
          type: 'change',
          number,
          change: { type, ...identity, ...rest, by },
        });
      }),
    );
  });

  it('unpacks E as the end of a session with its reason and actor', () => {
    const reasons = fc.constantFrom(...END_REASONS.filter((reason) => reason !== 'rotated'));
    fc.assert(
      fc.property(
        origins,
        identities,
        reasons,
        fc.option(text, { nil: undefined }),
        (origin, identity, reason, actor) => {
          const { number, by, ...rest } = origin;
          const ending = [reason, by, actor, undefined].map(packedText);
          const head = [double(number), uint32(rest.version), double(rest.at)];
          const change = {
            type: 'session.ended',
            ...identity,
            ...rest,
            by,
            reason,
            ...(actor !== undefined && { actor }),
          };
          const packed = message('E', ...head, ...ending, packedIdentity(identity));
          expect(unpackRedisChange(packed)).toEqual({ type: 'change', number, change });
        },
      ),
    );
  });

  it('unpacks R as a rotation with the id of the successor', () => {
    fc.assert(
      fc.property(origins, identities, sessionIds, ({ number, by, ...rest }, identity, rotatedTo) => {
        const ending = ['rotated', by, undefined, rotatedTo].map(packedText);
        const head = [double(number), uint32(rest.version), double(rest.at)];
        const packed = message('R', ...head, ...ending, packedIdentity(identity));
        const change = { type: 'session.rotated', ...identity, ...rest, by, rotatedTo };
        expect(unpackRedisChange(packed)).toEqual({ type: 'change', number, change });
      }),
    );
  });

  it.each(['registered', 'replaced', 'secret-added', 'secret-ended', 'revoked'])(
    'unpacks S as a change of a service: %s',
    (change) => {
      const packed = message('S', double(7), double(9), ...[change, 'orders', 'admin'].map(packedText));
      expect(unpackRedisChange(packed)).toEqual({
        type: 'change',
        number: 7,
        change: { type: 'service.changed', change, serviceId: 'orders', by: 'admin', at: 9 },
      });
    },
  );

  it('unpacks B as the heartbeat that packBeat() has packed', () => {
    const numbers = fc.array(fc.tuple(fc.integer({ min: 0, max: 256 }), fc.nat()), { maxLength: 257 });
    fc.assert(
      fc.property(text, text, numbers, (nonce, previous, entries) => {
        const beat: Beat = { type: 'beat', shard: 'a7', nonce, previous, last: new Map(entries) };
        expect(unpackRedisChange(packBeat(beat))).toEqual(beat);
      }),
    );
  });

  it('unpacks B of one server as a heartbeat without numbers', () => {
    expect(unpackRedisChange(beatOf('a7', 'new', 'old'))).toEqual({
      type: 'beat',
      shard: 'a7',
      nonce: 'new',
      previous: 'old',
      last: new Map(),
    });
  });

  it.each(['tag-key.proposed', 'tag-key.unknown'] as const)('unpacks the message %s as it was packed', (type) => {
    const packed = packTagKeyMessage({ type, fingerprint: '0123456789abcdef' });
    expect(unpackRedisChange(packed)).toEqual({ type, fingerprint: '0123456789abcdef' });
    expect(unpackRedisChange(Buffer.concat([packed, Buffer.from([0])]))).toBeUndefined();
  });

  it('unpacks K as the report of another feed key that packRekeying() has packed', () => {
    expect(unpackRedisChange(packRekeying('nonce'))).toEqual({ type: 'rekeying', nonce: 'nonce' });
  });
});

describe('unpackRedisChange() with an unknown message', () => {
  const identity = packedIdentity({ sessionId: '01234567-89ab-8cde-8f01-23456789abcd', loginId: 'a', serviceId: 'b' });
  const created = message('C', double(1), uint32(1), double(1), packedText('by'), identity);
  const ended = (reason: string, rotatedTo?: string) =>
    message('E', double(1), uint32(1), double(1), ...[reason, 'by', undefined, rotatedTo].map(packedText), identity);

  it.each<[string, Buffer]>([
    ['an empty message', Buffer.alloc(0)],
    ['a text of another program', Buffer.from('Hello, is anybody there?')],
    ['a kind of a later release', Buffer.concat([Buffer.from('X'), created.subarray(1)])],
    ['a message longer than its kind', Buffer.concat([created, Buffer.from([0])])],
    ['an end with an unknown reason', ended('Bored!')],
    ['a rotation without a successor', ended('rotated')],
    ['an unknown service change', message('S', double(1), double(1), ...['painted', 'a', 'b'].map(packedText))],
    ['an invalid session id', Buffer.concat([created.subarray(0, -22), Buffer.alloc(22, 0xee)])],
    ['a number that is not a number', message('C', double(NaN), created.subarray(9))],
    ['a fractional number', message('C', double(1.5), created.subarray(9))],
    ['a heartbeat without a nonce', beatOf('a7', 'new', undefined)],
    ['a heartbeat with an unknown stream', Buffer.concat([beatOf('a7', 'new', 'old'), Buffer.from([1, 1]), double(1)])],
    ['a heartbeat with half a number', Buffer.concat([beatOf('a7', 'new', 'old'), Buffer.from([1, 0, 1, 0])])],
    ['a report longer than its kind', Buffer.concat([packRekeying('nonce'), Buffer.from([0])])],
  ])('ignores %s', (_name, bytes) => {
    expect(unpackRedisChange(bytes)).toBeUndefined();
  });

  it('ignores a message that is truncated anywhere', () => {
    for (const packed of [created, ended('limit'), beatOf('a7', 'new', 'old'), packRekeying('nonce')]) {
      expect(unpackRedisChange(packed)).toBeDefined();
      for (let cut = 0; cut < packed.length; cut++) expect(unpackRedisChange(packed.subarray(0, cut))).toBeUndefined();
    }
  });

  it('does not throw for random bytes after a known letter', () => {
    const bytes = fc.uint8Array({ maxLength: 120 });
    fc.assert(
      fc.property(fc.constantFrom('C', 'U', 'E', 'R', 'S', 'B', 'K', 'P', 'O'), bytes, (kind, rest) => {
        expect(() => unpackRedisChange(message(kind, Buffer.from(rest)))).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});
