import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { END_REASONS } from '../../../model/end-reason.js';
import { unpackChange } from './change-message.js';
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

/** The notification as the functions in the database put it together. */
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

describe('an announcement', () => {
  it('tells of a session, and which write it was, whatever its texts are', () => {
    fc.assert(
      fc.property(abouts, kinds, origins, (about, kind, origin) => {
        const change = { ...about, ...kind };
        expect(unpackChange(payloadOf(change, origin))).toEqual({
          type: 'change',
          change,
          ...(origin !== undefined && { origin }),
        });
      }),
    );
  });

  it.each(['registered', 'replaced', 'secret-added', 'secret-ended', 'revoked'])('tells of a service: %s', (change) => {
    fc.assert(
      fc.property(text, text, origins, (serviceId, by, origin) => {
        const told = { type: 'service.changed', change, serviceId, by, at: 9 };
        expect(unpackChange(payloadOf(told, origin))).toMatchObject({ type: 'change', change: told });
      }),
      { numRuns: 20 },
    );
  });

  it('is a gap, or a heartbeat', () => {
    expect(unpackChange('{"type":"feed.gap","at":7}')).toEqual({ type: 'change', change: { type: 'feed.gap', at: 7 } });
    expect(unpackChange('{"type":"beat","at":7}')).toEqual({ type: 'beat', at: 7 });
  });

  it('tells nothing that it has beside', () => {
    const told = unpackChange(payloadOf({ ...CREATED, reason: 'limit', token: 'CANARY' }));
    expect(told).toEqual({ type: 'change', change: CREATED });
  });
});

describe('what is no announcement', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['a text of somebody else', 'Hello, is anybody there?'],
    ['a document of somebody else', '{"hello":1}'],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[1]'],
    ['of a kind of a later release', payloadOf({ ...CREATED, type: 'session.painted' })],
    ['an ending for an unknown reason', payloadOf({ ...ENDED, reason: 'bored' })],
    ['an ending for no reason', payloadOf({ ...ENDED, reason: undefined })],
    ['an ending by rotation', payloadOf({ ...ENDED, reason: 'rotated' })],
    ['a rotation without a successor', payloadOf({ ...ROTATED, rotatedTo: undefined })],
    ['an unknown change of a service', payloadOf({ ...SERVICE, change: 'painted' })],
    ['a heartbeat of no time', '{"type":"beat"}'],
    ['a heartbeat from before time', '{"type":"beat","at":-1}'],
    ['a heartbeat of the end of time', '{"type":"beat","at":1e999}'],
    ['a gap of no time', '{"type":"feed.gap"}'],
  ])('is passed over: %s', (_name, payload) => {
    expect(unpackChange(payload)).toBeUndefined();
  });

  it.each([CREATED, ENDED, ROTATED, SERVICE])(
    'is passed over when it lacks a part, or has one of another kind: %j',
    (change) => {
      expect(unpackChange(payloadOf(change))).toBeDefined();
      for (const name of Object.keys(change)) {
        for (const value of [undefined, null, true, -1, 1.5, {}]) {
          expect([name, value, unpackChange(payloadOf({ ...change, [name]: value }))]).toEqual([
            name,
            value,
            undefined,
          ]);
        }
      }
      for (const name of change === SERVICE ? [] : ['device', 'actor', 'rotatedTo']) {
        expect([name, unpackChange(payloadOf({ ...change, [name]: 7 }))]).toEqual([name, undefined]);
      }
    },
  );

  it('is passed over, and never thrown at, when it is any JSON, or was cut off', () => {
    fc.assert(
      fc.property(fc.json(), (payload) => {
        expect(unpackChange(payload)).toBeUndefined();
      }),
    );
    const payload = payloadOf(ENDED, 'a:1');
    for (let cut = 0; cut < payload.length; cut++) expect(unpackChange(payload.slice(0, cut))).toBeUndefined();
  });
});
