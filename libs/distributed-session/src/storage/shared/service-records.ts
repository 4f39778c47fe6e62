import type { SecretHash, ServiceCredentialRecord } from '../service-credential-storage.js';

/** Returns the hash in parsed JSON, or `undefined` if it does not contain one. */
export function secretHashOf(value: unknown): SecretHash | undefined {
  const { algorithm, digest, encoded } = (value ?? {}) as Record<string, unknown>;
  if (algorithm === 'hmac-sha256' && typeof digest === 'string') return { algorithm, digest };
  if (algorithm === 'argon2id' && typeof encoded === 'string') return { algorithm, encoded };
  return undefined;
}

/** Orders services by the UTF-16 code units of their ids. */
export function byServiceId(a: ServiceCredentialRecord, b: ServiceCredentialRecord): number {
  return a.serviceId < b.serviceId ? -1 : Number(a.serviceId > b.serviceId);
}
