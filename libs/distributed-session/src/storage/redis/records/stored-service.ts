import type { SecretHash, ServiceCredentialRecord, StoredServiceSecret } from '../../service-credential-storage.js';
import { ByteReader } from './bytes.js';
import { FORMAT, UnreadableValueError } from './stored-session.js';

/**
 * How a service is stored: format (1 byte), version (4), createdAt (8), the texts service id, name and permissions
 * (JSON), number of secrets (1) and for each the texts key id and hash (JSON) and the times createdAt, endsAt (0: none)
 * and lastUsedAt (0: never), 8 bytes each. Scripts stamp the times and take secrets in and out.
 *
 * Reads a value as it is at `now`: without the secrets that have ended. Throws {@link UnreadableValueError}.
 */
export function unpackService(value: Buffer, now: number): ServiceCredentialRecord {
  try {
    const reader = new ByteReader(value);
    const format = reader.uint8();
    if (format !== FORMAT) throw new UnreadableValueError(format > FORMAT);
    const [version, createdAt] = [reader.uint32(), reader.double()];
    const [serviceId, serviceName] = [reader.text(), reader.text()];
    const permissions = JSON.parse(reader.text()) as string[];
    const secrets = Array.from({ length: reader.uint8() }, () => unpackSecret(reader));
    const current = secrets.filter(({ endsAt }) => endsAt === undefined || now < endsAt);
    return { serviceId, serviceName, permissions, version, createdAt, secrets: current };
  } catch (error) {
    throw error instanceof UnreadableValueError ? error : new UnreadableValueError(false);
  }
}

function unpackSecret(reader: ByteReader): StoredServiceSecret {
  const keyId = reader.text();
  const hash = JSON.parse(reader.text()) as SecretHash;
  const [createdAt, endsAt, lastUsedAt] = [reader.double(), reader.double(), reader.double()];
  return { keyId, hash, createdAt, ...(endsAt > 0 && { endsAt }), ...(lastUsedAt > 0 && { lastUsedAt }) };
}
