import { isUtf8 } from 'node:buffer';
import { StorageCorruptError, StorageNewerFormatError } from '../errors/storage.errors.js';
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
  /** What a later release has added to this format. Every write keeps it. */
  readonly added?: Readonly<Record<string, JsonValue>>;
}

/**
 * A later release may add fields that this one need not understand, to the payload and to the client, under the same
 * number. Any other change has a higher number. Every format is a JSON object with the number in `f`.
 */
const FORMAT = 2;
/** With the SHA-256 of the token. Such a payload is read, and the next write replaces it. */
const FIRST_FORMAT = 1;
const CLIENT_FIELDS = ['ip', 'userAgent'] as const satisfies (keyof SessionClient)[];

/** Encodes a payload as one JSON document with a format number. It contains no token digest. */
export function encodePayload({ attributes, writers, client, added }: SessionPayload): Uint8Array {
  return Buffer.from(JSON.stringify({ f: FORMAT, a: attributes, o: writers, c: client, ...added }));
}

/**
 * Decodes a payload, deeply frozen.
 *
 * @throws {StorageNewerFormatError} when a later release has written it.
 * @throws {StorageCorruptError} when this library has not written it.
 */
export function decodePayload(payload: Uint8Array, sessionId: string): SessionPayload {
  const { f: format, t: tokenDigest, a: attributes, o: writers, c: client, ...others } = parse(payload, sessionId);
  if (Number.isSafeInteger(format) && (format as number) > FORMAT) {
    throw new StorageNewerFormatError(`The content of session ${sessionId}`);
  }
  if (format !== FORMAT && format !== FIRST_FORMAT) throw corrupt(sessionId, 'its payload has an unknown format');
  const isDigest = format === FIRST_FORMAT ? typeof tokenDigest === 'string' : tokenDigest === undefined;
  if (!isDigest || !isRecord(attributes) || !(client === undefined || isRecord(client))) throw corrupt(sessionId);
  if (writers !== undefined && !isWriters(writers)) throw corrupt(sessionId);
  const added = format === FORMAT ? addedFields(others, client) : undefined;
  return Object.freeze({
    attributes,
    ...(writers && { writers }),
    ...(client && { client: knownClient(client) }),
    ...(added && { added }),
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

/** The fields that this release does not know; a client that contains some is kept as a whole. */
function addedFields(others: JsonRecord, client?: JsonRecord): JsonRecord | undefined {
  const added = client && hasUnknownFields(client) ? { ...others, c: client } : others;
  return Object.keys(added).length === 0 ? undefined : Object.freeze(added);
}

function knownClient(client: JsonRecord): SessionClient {
  if (!hasUnknownFields(client)) return client;
  const known = CLIENT_FIELDS.filter((name) => client[name] !== undefined);
  return Object.freeze(Object.fromEntries(known.map((name) => [name, client[name]])));
}

function hasUnknownFields(client: JsonRecord): boolean {
  return !Object.keys(client).every((name) => (CLIENT_FIELDS as readonly string[]).includes(name));
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
