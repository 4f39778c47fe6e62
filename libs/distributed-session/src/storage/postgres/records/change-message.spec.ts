import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { END_REASONS } from '../../../model/end-reason.js';
import { readNotification } from './change-message.js';
import { escapeText } from './escaped-text.js';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const whole = fc.maxSafeNat();
const sessionIds = fc.uuid({ version: 7 });
const abouts = fc.record(
  { sessionId: sessionIds, loginId: text, serviceId: text, device: text, version: whole, by: text, at: whole },
  { requiredKeys: ['sessionId', 'loginId', 'serviceId', 'version', 'by', 'at'] },
);
const kinds = fc.oneof(
  fc.record({ type: fc.constantFrom('session.created', 'session.updated') }),
  fc.record({ type: fc.constant('session.rotated'), rotatedTo: sessionIds }),
  fc.record(
    {
      type: fc.constant('session.ended'),
      reason: fc.constantFrom(...END_REASONS.filter((reason) => reason !== 'rotated')),
      actor: text,
    },
    { requiredKeys: ['type', 'reason'] },
  ),
);
const origins = fc.option(fc.stringMatching(/^[0-9a-f]{12}:[1-9][0-9]{0,5}$/u), { nil: undefined });
const ESCAPED = ['loginId', 'serviceId', 'device', 'by', 'actor'];

/** The notification in the form that the SQL functions write. */
function payloadOf(change: object, origin?: string): string {
  const fields = Object.entries({ ...change, origin }).map(([name, value]) => [
    name,
    ESCAPED.includes(name) && typeof value === 'string' ? escapeText(value) : value,
  ]);
  return JSON.stringify(Object.fromEntries(fields));
}

const CREATED = { type: 'session.created', sessionId: 'id', loginId: 'a', serviceId: 'b', version: 1, by: 'c', at: 1 };
const ENDED = { ...CREATED, type: 'session.ended', reason: 'limit' };
const ROTATED = { ...CREATED, type: 'session.rotated', rotatedTo: 'other' };
const SERVICE = { type: 'service.changed', change: 'revoked', serviceId: 'a', by: 'b', at: 1 };

describe('a notification', () => {
  it('carries the change of a session and its write, with any characters in its texts', () => {
    fc.assert(
      fc.property(abouts, kinds, origins, (about, kind, origin) => {
        const change = { ...about, ...kind };
        expect(readNotification(payloadOf(change, origin))).toEqual({
          type: 'change',
          change,
          ...(origin !== undefined && { origin }),
        });
      }),
    );
  });

  it.each(['registered', 'replaced', 'secret-added', 'secret-ended', 'revoked'])(
    'carries the change of a service: %s',
    (change) => {
      fc.assert(
        fc.property(text, text, origins, (serviceId, by, origin) => {
          const sent = { type: 'service.changed', change, serviceId, by, at: 9 };
          expect(readNotification(payloadOf(sent, origin))).toMatchObject({ type: 'change', change: sent });
        }),
        { numRuns: 20 },
      );
    },
  );

  it('can be a gap or a heartbeat', () => {
    expect(readNotification('{"type":"feed.gap","at":7}')).toEqual({
      type: 'change',
      change: { type: 'feed.gap', at: 7 },
    });
    expect(readNotification('{"type":"beat","at":7}')).toEqual({ type: 'beat', at: 7 });
  });

  it('loses fields that do not belong to its type', () => {
    const read = readNotification(payloadOf({ ...CREATED, reason: 'limit', token: 'CANARY' }));
    expect(read).toEqual({ type: 'change', change: CREATED });
  });
});

describe('a message that is not a valid notification', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['a foreign text', 'Hello, is anybody there?'],
    ['a foreign document', '{"hello":1}'],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[1]'],
    ['a type of a later release', payloadOf({ ...CREATED, type: 'session.painted' })],
    ['an ending for an unknown reason', payloadOf({ ...ENDED, reason: 'bored' })],
    ['an ending without a reason', payloadOf({ ...ENDED, reason: undefined })],
    ['an ending by rotation', payloadOf({ ...ENDED, reason: 'rotated' })],
    ['a rotation without a successor', payloadOf({ ...ROTATED, rotatedTo: undefined })],
    ['an unknown change of a service', payloadOf({ ...SERVICE, change: 'painted' })],
    ['a heartbeat without a time', '{"type":"beat"}'],
    ['a heartbeat with a negative time', '{"type":"beat","at":-1}'],
    ['a heartbeat with an infinite time', '{"type":"beat","at":1e999}'],
    ['a gap without a time', '{"type":"feed.gap"}'],
  ])('is ignored: %s', (_name, payload) => {
    expect(readNotification(payload)).toBeUndefined();
  });

  it.each([CREATED, ENDED, ROTATED, SERVICE])(
    'is ignored when a field is missing or has another type: %j',
    (change) => {
      expect(readNotification(payloadOf(change))).toBeDefined();
      for (const name of Object.keys(change)) {
        for (const value of [undefined, null, true, -1, 1.5, {}]) {
          expect([name, value, readNotification(payloadOf({ ...change, [name]: value }))]).toEqual([
            name,
            value,
            undefined,
          ]);
        }
      }
      for (const name of change === SERVICE ? [] : ['device', 'actor', 'rotatedTo']) {
        expect([name, readNotification(payloadOf({ ...change, [name]: 7 }))]).toEqual([name, undefined]);
      }
    },
  );

  it('is ignored without an exception when it is arbitrary JSON, or truncated', () => {
    fc.assert(
      fc.property(fc.json(), (payload) => {
        expect(readNotification(payload)).toBeUndefined();
      }),
    );
    const payload = payloadOf(ENDED, 'a:1');
    for (let cut = 0; cut < payload.length; cut++) expect(readNotification(payload.slice(0, cut))).toBeUndefined();
  });
});
