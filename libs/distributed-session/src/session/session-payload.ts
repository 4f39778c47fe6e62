import { isUtf8 } from 'node:buffer';
import { StorageCorruptError } from '../errors/storage.errors.js';
import type { JsonValue, SessionAttributes } from '../model/attributes.js';
import type { SessionClient } from '../model/session.js';
import type { AttributeWriters } from './attribute-shares.js';

/** The part of a session that is opaque to the storage. */
export interface SessionPayload {
  readonly attributes: SessionAttributes;
  /** Absent in payloads of earlier builds. */
  readonly writers?: AttributeWriters;
  readonly client?: SessionClient;
  /** The SHA-256 of the token, in payloads of earlier builds. Now it is a field of the record. */
  readonly tokenDigest?: string;
}

const FORMAT = 2;
/** With the SHA-256 of the token. Such a payload is read, and the next write replaces it. */
const FIRST_FORMAT = 1;

/** Encodes a payload as one JSON document with a format number. It contains no token digest. */
export function encodePayload({ attributes, writers, client }: SessionPayload): Uint8Array {
  return Buffer.from(JSON.stringify({ f: FORMAT, a: attributes, o: writers, c: client }));
}

/** Decodes a payload, deeply frozen. Throws {@link StorageCorruptError} unless {@link encodePayload} has written it. */
export function decodePayload(payload: Uint8Array, sessionId: string): SessionPayload {
  const { f: format, t: tokenDigest, a: attributes, o: writers, c: client } = parse(payload, sessionId);
  if (format !== FORMAT && format !== FIRST_FORMAT)
    throw corrupt(sessionId, 'its payload has an unknown format; a newer version may have written it');
  const isDigest = format === FIRST_FORMAT ? typeof tokenDigest === 'string' : tokenDigest === undefined;
  if (!isDigest || !isRecord(attributes) || !(client === undefined || isRecord(client))) throw corrupt(sessionId);
  if (writers !== undefined && !isWriters(writers)) throw corrupt(sessionId);
  return Object.freeze({
    attributes,
    ...(writers && { writers }),
    ...(client && { client }),
    ...(typeof tokenDigest === 'string' && { tokenDigest }),
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

function isWriters(value: JsonValue): value is Record<string, readonly string[]> {
  return isRecord(value) && Object.values(value).every(isTexts);
}

function isTexts(value: JsonValue): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function freezeDeep<T extends JsonValue>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const item of Object.values(value)) freezeDeep(item);
  return Object.freeze(value);
}

function corrupt(sessionId: string, what = 'its payload cannot be read'): StorageCorruptError {
  return new StorageCorruptError(`The stored session ${sessionId} is corrupt: ${what}.`);
}
