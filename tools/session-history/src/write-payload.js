import { createHash } from 'node:crypto';

/**
 * A payload that contains its write's id. Lost parts, or a mix of two payloads, are detectable.
 *
 * @param {string} writeId
 * @returns {Uint8Array}
 */
export function payloadOf(writeId) {
  const digest = createHash('sha256').update(writeId).digest('hex');
  return new TextEncoder().encode(`${writeId} ${digest.repeat(1 + (digest.charCodeAt(0) % 16))}`);
}

/**
 * The id of the write that a payload belongs to. For anything else, an id that no write has.
 *
 * @param {Uint8Array} payload
 * @returns {string}
 */
export function writeIdOf(payload) {
  const text = Buffer.from(payload).toString('utf8');
  const writeId = text.split(' ', 1)[0] ?? '';
  return Buffer.compare(payloadOf(writeId), payload) === 0 ? writeId : `not a payload: ${text.slice(0, 40)}`;
}
