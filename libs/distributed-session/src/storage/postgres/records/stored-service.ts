import type { ServiceCredentialRecord, StoredServiceSecret } from '../../service-credential-storage.js';
import { secretHashOf } from '../../shared/service-records.js';
import { unescapeText } from './escaped-text.js';
import { type RowReader, UnreadableRowError } from './row-reader.js';

/** The select list of a service, from the view `current_service`. */
export function serviceColumns(row: string): string {
  return ['service_id', 'service_name', 'permissions', 'version', 'created_at', 'secrets']
    .map((column) => `${row}.${column}`)
    .join(', ');
}

/** Reads the columns of a service. Throws an `UnreadableRowError` when this library did not write them. */
export function readServiceRow(row: RowReader): ServiceCredentialRecord {
  const [serviceId, serviceName, permissions] = [row.text(), row.text(), row.text()];
  const [version, createdAt, secrets] = [row.whole(), row.whole(), row.optionalText()];
  return {
    serviceId: unescapeText(serviceId),
    serviceName: unescapeText(serviceName),
    permissions: textsOf(parsed(permissions)),
    version,
    createdAt,
    secrets: listOf(parsed(secrets ?? '[]')).map(unpackSecret),
  };
}

function unpackSecret(value: unknown): StoredServiceSecret {
  const { keyId, hash: packedHash, createdAt, endsAt, lastUsedAt } = (value ?? {}) as Record<string, unknown>;
  if (typeof keyId !== 'string' || typeof packedHash !== 'string') throw new UnreadableRowError();
  const hash = secretHashOf(parsed(packedHash));
  if (hash === undefined) throw new UnreadableRowError();
  return {
    keyId: unescapeText(keyId),
    hash,
    createdAt: wholeOf(createdAt),
    ...(endsAt !== null && { endsAt: wholeOf(endsAt) }),
    ...(lastUsedAt !== null && { lastUsedAt: wholeOf(lastUsedAt) }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableRowError();
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnreadableRowError();
  return value;
}

function textsOf(value: unknown): string[] {
  return listOf(value).map((each) => {
    if (typeof each !== 'string') throw new UnreadableRowError();
    return each;
  });
}

function wholeOf(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new UnreadableRowError();
  return value as number;
}
