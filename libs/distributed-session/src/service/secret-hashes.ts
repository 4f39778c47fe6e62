import { MAX_KEYS } from '../model/key-list.js';
import type { PepperedHash, SecretHash } from '../storage/service-credential-storage.js';

/** Returns the hashes of one secret under its peppers, the newest first. */
export function hashesOf({ also = [], ...first }: SecretHash): readonly PepperedHash[] {
  return [first, ...also];
}

/** Joins the hashes of one secret under several peppers, the newest first. */
export function joinHashes(hashes: readonly PepperedHash[]): SecretHash {
  const [first, ...also] = hashes.slice(0, MAX_KEYS);
  return { ...first!, ...(also.length > 0 && { also }) };
}

/** Returns whether a stored hash contains a hash, under whatever pepper's id. */
export function containsHash(stored: SecretHash, hash: PepperedHash): boolean {
  return hash.algorithm !== 'unknown' && hashesOf(stored).some((each) => textOf(each) === textOf(hash));
}

/** Returns whether a later release has stored a hash, which this one cannot compare. */
export function isOfLaterRelease(stored: SecretHash): boolean {
  return hashesOf(stored).every(({ algorithm }) => algorithm === 'unknown');
}

function textOf(hash: PepperedHash): string | undefined {
  if (hash.algorithm === 'unknown') return undefined;
  return hash.algorithm === 'argon2id' ? hash.encoded : hash.digest;
}
