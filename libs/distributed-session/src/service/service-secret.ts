import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'dss_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const KEY_ID_LENGTH = 10;
/** 43 digits of base 62 hold 256 bits, and 6 digits hold the checksum's 32 bits. */
const RANDOM_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const FORM = new RegExp(`^${PREFIX}([0-9A-Za-z]{${KEY_ID_LENGTH}})_[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`);

/** A new secret: `dss_<keyId>_<256 random bits in base 62><CRC-32>`. */
export interface GeneratedSecret {
  readonly keyId: string;
  readonly secret: string;
}

export function generateSecret(): GeneratedSecret {
  const keyId = generateKeyId();
  const body = `${PREFIX}${keyId}_${toBase62(randomBytes(32), RANDOM_LENGTH)}`;
  return { keyId, secret: body + checksum(body) };
}

/** Returns a new key id. It identifies a secret and is not a credential; 56 random bits make it unique. */
export function generateKeyId(): string {
  return toBase62(randomBytes(7), KEY_ID_LENGTH);
}

/** Returns whether a text has the prefix of generated secrets, which a caller-chosen secret may not have. */
export function looksGenerated(secret: string): boolean {
  return secret.startsWith(PREFIX);
}

/**
 * Returns the key id in a generated secret, or `undefined` if the secret is malformed. The checksum detects typing
 * errors and lets secret scanners find leaked secrets. It is not a security feature.
 */
export function keyIdOf(secret: string): string | undefined {
  const keyId = FORM.exec(secret)?.[1];
  const sumAt = secret.length - CHECKSUM_LENGTH;
  return keyId !== undefined && checksum(secret.slice(0, sumAt)) === secret.slice(sumAt) ? keyId : undefined;
}

function checksum(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return toBase62(bytes, CHECKSUM_LENGTH);
}

/** Encodes the bytes as one big-endian number in base 62, padded to `length` digits, which must be enough for it. */
function toBase62(bytes: Buffer, length: number): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`);
  let digits = '';
  while (digits.length < length) {
    digits = ALPHABET[Number(rest % 62n)]! + digits;
    rest /= 62n;
  }
  return digits;
}
