import type { PepperedHash, SecretHash } from '../service-credential-storage.js';

/** Returns the hash in parsed JSON, or `undefined` if it does not contain one. One of a later release is `unknown`. */
export function secretHashOf(value: unknown): SecretHash | undefined {
  const hash = pepperedHashOf(value);
  const { also } = (value ?? {}) as Record<string, unknown>;
  if (hash === undefined || also === undefined) return hash;
  const others = Array.isArray(also) ? also.map(pepperedHashOf) : [undefined];
  return others.every((other) => other !== undefined) ? { ...hash, also: others } : undefined;
}

function pepperedHashOf(value: unknown): PepperedHash | undefined {
  const { algorithm, digest, encoded, pepper } = (value ?? {}) as Record<string, unknown>;
  if (pepper !== undefined && typeof pepper !== 'string') return undefined;
  const named = pepper === undefined ? {} : { pepper };
  if (algorithm === 'hmac-sha256' && typeof digest === 'string') return { algorithm, digest, ...named };
  if (algorithm === 'argon2id' && typeof encoded === 'string') return { algorithm, encoded, ...named };
  const isOfThisRelease = algorithm === 'hmac-sha256' || algorithm === 'argon2id';
  if (typeof algorithm === 'string' && !isOfThisRelease) return { algorithm: 'unknown' };
  return undefined;
}

/** Returns a hash as it is stored. The text of a hash that was read is the stored one, so the two can be compared. */
export function packSecretHash(hash: SecretHash): string {
  return JSON.stringify(secretHashOf(hash));
}

/** Orders services by the UTF-16 code units of their ids. */
export function byServiceId(a: { readonly serviceId: string }, b: { readonly serviceId: string }): number {
  return a.serviceId < b.serviceId ? -1 : Number(a.serviceId > b.serviceId);
}
