import * as fc from 'fast-check';
import { END_REASONS } from 'nestjs-distributed-session';
import type {
  SecretHash,
  ServiceCredentialRecord,
  SessionRecord,
  SessionTombstone,
} from 'nestjs-distributed-session/storage';

/** The limits of the values in a store. */
export interface RecordLimits {
  /** Of its session ids. */
  readonly uuidVersion: 7 | 8;
  readonly maxVersion: number;
  readonly times: fc.Arbitrary<number>;
}

const text = fc.string({ unit: 'binary', maxLength: 80 });

/** Any live session and any tombstone, with any texts. */
export function sessionArbitraries({ uuidVersion, maxVersion, times }: RecordLimits): {
  readonly records: fc.Arbitrary<SessionRecord>;
  readonly tombstones: fc.Arbitrary<SessionTombstone>;
} {
  const header = {
    sessionId: fc.uuid({ version: uuidVersion }),
    loginId: text,
    serviceId: text,
    device: text,
    tokenDigest: fc.string({ unit: 'grapheme-ascii', maxLength: 128 }),
    version: fc.integer({ min: 1, max: maxVersion }),
    createdAt: times,
    lastAccessedAt: times,
  };
  const required = ['state', 'sessionId', 'loginId', 'serviceId', 'version', 'createdAt', 'lastAccessedAt'] as const;
  const records = fc.record(
    {
      ...header,
      state: fc.constant('live'),
      idleTimeoutMs: times,
      expiresAt: times,
      absoluteExpiresAt: times,
      payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
    },
    { requiredKeys: [...required, 'expiresAt', 'payload'] },
  );
  const endings = fc.oneof(
    fc.record({ reason: fc.constantFrom(...END_REASONS.filter((reason) => reason !== 'rotated')) }),
    fc.record({
      reason: fc.constant('rotated'),
      rotatedTo: fc.uuid({ version: uuidVersion }),
      graceEndsAt: times,
    }),
  );
  const ended = fc.record(
    { ...header, state: fc.constant('ended'), endedAt: times, endedBy: text, actor: text },
    { requiredKeys: [...required, 'endedAt', 'endedBy'] },
  );
  const tombstones = fc.tuple(ended, endings).map(([session, ending]) => ({ ...session, ...ending }));
  return { records, tombstones };
}

/** Any service, with any texts. Its secrets end at one of these times. */
export function serviceArbitrary({
  maxVersion,
  times,
  ends,
}: Omit<RecordLimits, 'uuidVersion'> & { readonly ends: fc.Arbitrary<number> }): fc.Arbitrary<ServiceCredentialRecord> {
  const hashes: fc.Arbitrary<SecretHash> = fc.oneof(
    fc.record({ algorithm: fc.constant('hmac-sha256'), digest: text }),
    fc.record({ algorithm: fc.constant('argon2id'), encoded: text }),
  );
  const secrets = fc.record(
    { keyId: text, hash: hashes, createdAt: times, endsAt: ends, lastUsedAt: times },
    { requiredKeys: ['keyId', 'hash', 'createdAt'] },
  );
  return fc.record({
    serviceId: text,
    serviceName: text,
    permissions: fc.array(text, { maxLength: 5 }),
    version: fc.integer({ min: 1, max: maxVersion }),
    createdAt: times,
    secrets: fc.array(secrets, { maxLength: 3 }),
  });
}
