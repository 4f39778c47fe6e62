import { describe, expect, it } from '@jest/globals';
import { DEFAULT_ATTRIBUTE_LIMITS } from './model/attributes.js';
import { InMemorySessionStorage } from './storage/in-memory/in-memory-session-storage.js';
import { type SessionTimeouts, TIMEOUT_PRESETS } from './model/session-timeouts.js';
import { resolveOptions } from './resolve-options.js';

const HOUR = 3_600_000;
const required = { serviceId: 'svc', storage: new InMemorySessionStorage() };

function ceilingsOf(given: object): SessionTimeouts {
  return resolveOptions({ ...required, ...given }).timeoutCeilings;
}

function errorsOf(input: object): readonly string[] {
  try {
    resolveOptions({ ...required, ...input });
  } catch (error) {
    return (error as { errors: readonly string[] }).errors;
  }
  return [];
}

describe('resolveOptions', () => {
  it('applies the defaults and freezes the result', () => {
    const options = resolveOptions(required);
    expect(options).toMatchObject({
      timeouts: { idleTimeoutMs: HOUR, absoluteTimeoutMs: 24 * HOUR },
      maxSessionsPerLogin: 100,
      onLimit: 'end-oldest',
      rotationGraceMs: 10_000,
      historyRetentionMs: 24 * HOUR,
      attributeLimits: DEFAULT_ATTRIBUTE_LIMITS,
      sessionCookieName: '__Host-session',
    });
    expect(Object.isFrozen(options)).toBe(true);
    expect(Object.isFrozen(options.timeouts)).toBe(true);
  });

  it.each([
    ['aal1', { idleTimeoutMs: undefined, absoluteTimeoutMs: 30 * 24 * HOUR }],
    ['aal2', { idleTimeoutMs: HOUR, absoluteTimeoutMs: 24 * HOUR }],
    ['aal3', { idleTimeoutMs: HOUR / 4, absoluteTimeoutMs: 12 * HOUR }],
    ['owaspHighValue', { idleTimeoutMs: HOUR / 12, absoluteTimeoutMs: 4 * HOUR }],
  ] as const)('resolves the preset %s', (timeoutPreset, timeouts) => {
    expect(resolveOptions({ ...required, timeoutPreset }).timeouts).toEqual(timeouts);
  });

  it('reports every invalid option at once, and how to fix it', () => {
    const errors = errorsOf({ serviceId: 'no spaces', storage: {}, idleTimeout: 5, maxSessionsPerLogin: 1_001 });
    expect(errors).toEqual([
      expect.stringMatching(/^Unknown option "idleTimeout"\. Did you mean "idleTimeoutMs"\?/),
      expect.stringMatching(/^serviceId must be 1 to 128 letters/),
      expect.stringMatching(/^storage must be a SessionStorage, such as/),
      expect.stringMatching(/^maxSessionsPerLogin must be a whole number from 1 to 1000/),
    ]);
  });

  it.each([NaN, Infinity, -1, 0, 1.5, '5', 1e15, {}])('rejects %p as a timeout', (value) => {
    expect(errorsOf({ idleTimeoutMs: value })).toEqual([expect.stringContaining('idleTimeoutMs must be')]);
    expect(errorsOf({ absoluteTimeoutMs: value })).toEqual([expect.stringContaining('absoluteTimeoutMs must be')]);
    expect(errorsOf({ touchIntervalMs: value })).toEqual([expect.stringContaining('touchIntervalMs must be')]);
  });

  it.each(['touchIntervalMs', 'maxSessionsPerDevice', 'secretPepper', 'serviceId', 'onLimit', 'attributeLimits'])(
    'rejects null for %s, which cannot be disabled',
    (name) => {
      expect(errorsOf({ [name]: null })).toEqual([expect.stringContaining(name)]);
    },
  );

  it.each([[], new Date(), new Map(), { maxDepth: 101 }, { maxCount: 0 }, { unknown: 1 }])(
    'rejects %p as attributeLimits',
    (attributeLimits) => {
      expect(errorsOf({ attributeLimits })).toEqual([
        expect.stringMatching(/^attributeLimits must be an object with only maxKeyLength/),
      ]);
    },
  );

  it('rejects sessions that never expire, and an idle timeout longer than the absolute one', () => {
    expect(errorsOf({ idleTimeoutMs: null, absoluteTimeoutMs: null })).toEqual([
      expect.stringContaining('must not both be null'),
    ]);
    expect(errorsOf({ idleTimeoutMs: 48 * HOUR })).toEqual([expect.stringContaining('Set absoluteTimeoutMs too')]);
  });

  it('takes the timeouts as ceilings, unless the operator sets others', () => {
    expect(ceilingsOf({ timeoutPreset: 'owaspHighValue' })).toEqual(TIMEOUT_PRESETS.owaspHighValue);
    expect(ceilingsOf({ timeoutPreset: 'aal1' })).toEqual({ absoluteTimeoutMs: 30 * 24 * HOUR });
    expect(ceilingsOf({ absoluteTimeoutMs: null })).toEqual({ idleTimeoutMs: HOUR });
    expect(ceilingsOf({ maxIdleTimeoutMs: 2 * HOUR, maxAbsoluteTimeoutMs: null })).toEqual({ idleTimeoutMs: 2 * HOUR });
  });

  it('rejects timeouts beyond their ceilings', () => {
    expect(errorsOf({ maxIdleTimeoutMs: 5 })).toEqual([
      'idleTimeoutMs (3600000) exceeds maxIdleTimeoutMs (5). Lower it, or raise maxIdleTimeoutMs.',
    ]);
    const unbounded = { absoluteTimeoutMs: null, maxAbsoluteTimeoutMs: HOUR, maxIdleTimeoutMs: 5 };
    expect(errorsOf(unbounded)).toEqual([
      expect.stringMatching(/^idleTimeoutMs \(3600000\) exceeds/),
      expect.stringMatching(/^absoluteTimeoutMs \(null\) exceeds maxAbsoluteTimeoutMs \(3600000\)/),
    ]);
    expect(errorsOf({ maxIdleTimeoutMs: 0 })).toEqual([expect.stringContaining('maxIdleTimeoutMs must be')]);
    expect(errorsOf({ maxAbsoluteTimeoutMs: '1' })).toEqual([expect.stringContaining('maxAbsoluteTimeoutMs must be')]);
  });

  it('lowers the default idle timeout to a shorter absolute timeout', () => {
    const { timeouts } = resolveOptions({ ...required, absoluteTimeoutMs: 5_000 });
    expect(timeouts).toEqual({ idleTimeoutMs: 5_000, absoluteTimeoutMs: 5_000 });
  });

  it('hides the pepper from serialization', () => {
    const options = resolveOptions({ ...required, secretPepper: 'a pepper that stays hidden' });
    expect(options.secretPepper.map((pepper) => pepper.reveal())).toEqual(['a pepper that stays hidden']);
    expect(JSON.stringify({ ...options, storage: undefined })).not.toContain('stays hidden');
  });
});
