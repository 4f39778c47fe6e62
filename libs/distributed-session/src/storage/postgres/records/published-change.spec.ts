import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { END_REASONS } from '../../../model/end-reason.js';
import { readPublishedChange } from './published-change.js';
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

/** The change in the form that the SQL functions write. */
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

describe('a published change', () => {
  it('carries the change of a session and its write, with any characters in its texts', () => {
    fc.assert(
      fc.property(abouts, kinds, origins, (about, kind, origin) => {
        const change = { ...about, ...kind };
        expect(readPublishedChange(payloadOf(change, origin))).toEqual({
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
          expect(readPublishedChange(payloadOf(sent, origin))).toMatchObject({ change: sent });
        }),
        { numRuns: 20 },
      );
    },
  );

  it('carries an ending for a reason that a later release has added', () => {
    const later = { ...ENDED, reason: 'device-mismatch' };
    expect(readPublishedChange(payloadOf(later))).toEqual({ change: later });
  });

  it('loses fields that do not belong to its type', () => {
    const read = readPublishedChange(payloadOf({ ...CREATED, reason: 'limit', token: 'CANARY' }));
    expect(read).toEqual({ change: CREATED });
  });
});

describe('a text that is not a published change', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['a foreign text', 'Hello, is anybody there?'],
    ['a foreign document', '{"hello":1}'],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[1]'],
    ['a type of a later release', payloadOf({ ...CREATED, type: 'session.painted' })],
    ['an ending for a reason that is not a name', payloadOf({ ...ENDED, reason: 'Bored!' })],
    ['an ending without a reason', payloadOf({ ...ENDED, reason: undefined })],
    ['an ending by rotation', payloadOf({ ...ENDED, reason: 'rotated' })],
    ['a rotation without a successor', payloadOf({ ...ROTATED, rotatedTo: undefined })],
    ['an unknown change of a service', payloadOf({ ...SERVICE, change: 'painted' })],
    ['a heartbeat, as earlier builds sent them', '{"type":"beat","at":7}'],
    ['a gap, as earlier builds sent them', '{"type":"feed.gap","at":7}'],
    ['a negative time', payloadOf({ ...CREATED, at: -1 })],
    ['an infinite time', '{"type":"service.changed","change":"revoked","serviceId":"a","by":"b","at":1e999}'],
  ])('is ignored: %s', (_name, payload) => {
    expect(readPublishedChange(payload)).toBeUndefined();
  });

  it.each([CREATED, ENDED, ROTATED, SERVICE])(
    'is ignored when a field is missing or has another type: %j',
    (change) => {
      expect(readPublishedChange(payloadOf(change))).toBeDefined();
      for (const name of Object.keys(change)) {
        for (const value of [undefined, null, true, -1, 1.5, {}]) {
          expect([name, value, readPublishedChange(payloadOf({ ...change, [name]: value }))]).toEqual([
            name,
            value,
            undefined,
          ]);
        }
      }
      for (const name of change === SERVICE ? [] : ['device', 'actor', 'rotatedTo']) {
        expect([name, readPublishedChange(payloadOf({ ...change, [name]: 7 }))]).toEqual([name, undefined]);
      }
    },
  );

  it('is ignored without an exception when it is arbitrary JSON, or truncated', () => {
    fc.assert(
      fc.property(fc.json(), (payload) => {
        expect(readPublishedChange(payload)).toBeUndefined();
      }),
    );
    const payload = payloadOf(ENDED, 'a:1');
    for (let cut = 0; cut < payload.length; cut++) expect(readPublishedChange(payload.slice(0, cut))).toBeUndefined();
  });
});
