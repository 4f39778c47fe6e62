import { isUtf8 } from 'node:buffer';
import { StorageCorruptError } from '../errors/storage.errors.js';
import { type JsonValue, type SessionAttributes, emptyAttributes } from '../model/attributes.js';
import type { SessionClient } from '../model/session.js';

/** A previous credential of the session, which still works during the grace period of a rotation. */
export interface Predecessor {
  readonly sessionId: string;
  readonly tokenDigest: string;
}

/** The part of a session that is opaque to the storage. */
export interface SessionPayload {
  readonly tokenDigest: string;
  readonly attributes: SessionAttributes;
  readonly client?: SessionClient;
  /** In order of rotation, the newest last. */
  readonly predecessors: readonly Predecessor[];
}

const FORMAT = 1;

/** Encodes a payload as one JSON document with a format number. */
export function encodePayload({ tokenDigest, attributes, client, predecessors }: SessionPayload): Uint8Array {
  const previous = predecessors.map((predecessor) => [predecessor.sessionId, predecessor.tokenDigest]);
  return Buffer.from(JSON.stringify({ f: FORMAT, t: tokenDigest, a: attributes, c: client, p: previous }));
}

/** Decodes a payload, deeply frozen. Throws {@link StorageCorruptError} unless {@link encodePayload} has written it. */
export function decodePayload(payload: Uint8Array, sessionId: string): SessionPayload {
  const { f: format, t: tokenDigest, a: attributes, c: client, p: previous } = parse(payload, sessionId);
  if (format !== FORMAT)
    throw corrupt(sessionId, 'its payload has an unknown format; a newer version may have written it');
  if (typeof tokenDigest !== 'string' || !isRecord(attributes) || !isPairs(previous)) throw corrupt(sessionId);
  if (client !== undefined && !isRecord(client)) throw corrupt(sessionId);
  return Object.freeze({
    tokenDigest,
    attributes: Object.freeze(Object.assign(emptyAttributes(), attributes)),
    ...(client && { client }),
    predecessors: Object.freeze(previous.map(([id, digest]) => Object.freeze({ sessionId: id, tokenDigest: digest }))),
  });
}

type JsonRecord = Record<string, JsonValue>;

function parse(payload: Uint8Array, sessionId: string): JsonRecord {
  try {
    // Decoding alone would replace invalid UTF-8 with other characters.
    if (!isUtf8(payload)) throw corrupt(sessionId);
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
    const packed = freezeDeep(JSON.parse(text) as JsonValue);
    if (isRecord(packed)) return packed;
  } catch {
    // No cause: the message of a JSON error quotes the text, which contains attribute values.
  }
  throw corrupt(sessionId);
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPairs(value: unknown): value is [string, string][] {
  return Array.isArray(value) && value.every(isPair);
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string';
}

function freezeDeep<T extends JsonValue>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const item of Object.values(value)) freezeDeep(item);
  return Object.freeze(value);
}

function corrupt(sessionId: string, what = 'its payload cannot be read'): StorageCorruptError {
  return new StorageCorruptError(`The stored session ${sessionId} is corrupt: ${what}.`);
}
