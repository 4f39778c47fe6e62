import type { ServiceCredentialRecord, StoredServiceSecret } from '../../service-credential-storage.js';
import { secretHashOf } from '../../shared/service-records.js';
import { ByteReader } from './bytes.js';
import { UnreadableValueError } from './stored-session.js';

/** The first byte of a service's record. */
export const SERVICE_FORMAT = 1;

/**
 * Reads a service record: format (1 byte), version (4), createdAt (8), the texts service id, name and permissions
 * (JSON), number of secrets (1) and for each the texts key id and hash (JSON) and the times createdAt, endsAt (0: none)
 * and lastUsedAt (0: never), 8 bytes each. Scripts set the times, and add and remove secrets.
 *
 * The result omits secrets that have ended at `now`.
 *
 * @throws {UnreadableValueError} when the value is not a valid record.
 */
export function unpackRedisService(value: Buffer, now: number): ServiceCredentialRecord {
  try {
    const reader = new ByteReader(value);
    const format = reader.uint8();
    if (format !== SERVICE_FORMAT) throw new UnreadableValueError(format > SERVICE_FORMAT);
    const [version, createdAt] = [reader.uint32(), reader.whole()];
    const [serviceId, serviceName] = [reader.text(), reader.text()];
    const permissions = permissionsOf(JSON.parse(reader.text()));
    const secrets = Array.from({ length: reader.uint8() }, () => unpackSecret(reader));
    if (!reader.isAtEnd) throw new UnreadableValueError(false);
    const current = secrets.filter(({ endsAt }) => endsAt === undefined || now < endsAt);
    return { serviceId, serviceName, permissions, version, createdAt, secrets: current };
  } catch (error) {
    throw error instanceof UnreadableValueError ? error : new UnreadableValueError(false);
  }
}

function unpackSecret(reader: ByteReader): StoredServiceSecret {
  const keyId = reader.text();
  const hash = secretHashOf(JSON.parse(reader.text()));
  if (hash === undefined) throw new UnreadableValueError(false);
  const [createdAt, endsAt, lastUsedAt] = [reader.whole(), reader.whole(), reader.whole()];
  return { keyId, hash, createdAt, ...(endsAt > 0 && { endsAt }), ...(lastUsedAt > 0 && { lastUsedAt }) };
}

function permissionsOf(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) throw new UnreadableValueError(false);
  return value;
}
