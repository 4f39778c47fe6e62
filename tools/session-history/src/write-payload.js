import { createHash } from 'node:crypto';

/**
 * A payload that names the write it belongs to, and of which no part can be lost or mixed with another's unnoticed.
 *
 * @param {string} writeId
 * @returns {Uint8Array}
 */
export function payloadOf(writeId) {
  const digest = createHash('sha256').update(writeId).digest('hex');
  return new TextEncoder().encode(`${writeId} ${digest.repeat(1 + (digest.charCodeAt(0) % 16))}`);
}

/**
 * The write that a payload names. Anything else comes back as an id that nobody wrote.
 *
 * @param {Uint8Array} payload
 * @returns {string}
 */
export function writeIdOf(payload) {
  const text = Buffer.from(payload).toString('utf8');
  const writeId = text.split(' ', 1)[0] ?? '';
  return Buffer.compare(payloadOf(writeId), payload) === 0 ? writeId : `not a payload: ${text.slice(0, 40)}`;
}
