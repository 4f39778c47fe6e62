import { StorageFullError } from '../../errors/storage.errors.js';
import {
  type AddServiceSecret,
  type AddServiceSecretResult,
  type ListedServiceRecord,
  MAX_SERVICES,
  type PutService,
  type PutServiceResult,
  type RenewSecretHash,
  type ServiceCredentialRecord,
  ServiceCredentialStorage,
} from '../service-credential-storage.js';
import { byServiceId, packSecretHash } from '../shared/service-records.js';
import { putService } from './functions/put-service.function.js';
import { removeService } from './functions/remove-service.function.js';
import { addServiceSecret, endServiceSecret } from './functions/service-secret.functions.js';
import type { PostgresConnections } from './postgres-connections.js';
import { escapeText, unescapeText } from './records/escaped-text.js';
import type { RowReader } from './records/row-reader.js';
import { readServiceRow } from './records/stored-service.js';
import { findService, findServiceByKeyId, listServices, recordServiceUse, renewSecretHash } from './statements.js';
import { unreadableService } from './unreadable-row.js';

/** Service credentials in PostgreSQL: a row for each service, and one for each of its secrets. */
export class PostgresServiceCredentialStorage extends ServiceCredentialStorage {
  readonly #connections: PostgresConnections;

  constructor(connections: PostgresConnections) {
    super();
    this.#connections = connections;
  }

  async put({ serviceId, serviceName, permissions, secret, replace, by }: PutService): Promise<PutServiceResult> {
    const { outcome, stored } = await this.#connections.writeOne(putService, {
      serviceId: escapeText(serviceId),
      name: escapeText(serviceName),
      permissions: JSON.stringify(permissions),
      keyId: escapeText(secret.keyId),
      hash: packSecretHash(secret.hash),
      replace,
      by: escapeText(by),
    });
    if (outcome === 'full') throw new StorageFullError(MAX_SERVICES);
    if (outcome === 'exists') return { outcome };
    const service = this.#read(serviceId, stored);
    return outcome === 'stored' ? { outcome, service } : { outcome: 'look-alike', serviceId: service.serviceId };
  }

  async find(serviceId: string): Promise<ServiceCredentialRecord | undefined> {
    const [stored] = await this.#connections.connection.run(findService, { serviceId: escapeText(serviceId) });
    return stored && this.#readFound(stored);
  }

  async findByKeyId(keyId: string): Promise<ServiceCredentialRecord | undefined> {
    const [stored] = await this.#connections.connection.run(findServiceByKeyId, { keyId: escapeText(keyId) });
    const service = stored && this.#readFound(stored);
    return service?.secrets.some((secret) => secret.keyId === keyId) ? service : undefined;
  }

  async addSecret(addition: AddServiceSecret): Promise<AddServiceSecretResult> {
    const { serviceId, expectedVersion, secret, overlapMs, by } = addition;
    const { outcome, stored } = await this.#connections.writeOne(addServiceSecret, {
      serviceId: escapeText(serviceId),
      expectedVersion,
      keyId: escapeText(secret.keyId),
      hash: packSecretHash(secret.hash),
      overlapMs,
      by: escapeText(by),
    });
    if (outcome === 'stored') return { outcome, service: this.#read(serviceId, stored) };
    return { outcome: outcome as Exclude<AddServiceSecretResult['outcome'], 'stored'> };
  }

  async endSecret({ serviceId, keyId, by }: { serviceId: string; keyId: string; by: string }): Promise<boolean> {
    const values = { serviceId: escapeText(serviceId), keyId: escapeText(keyId), by: escapeText(by) };
    return this.#connections.writeOne(endServiceSecret, values);
  }

  async recordUse({ serviceId, keyId }: { serviceId: string; keyId: string }): Promise<void> {
    const values = { serviceId: escapeText(serviceId), keyId: escapeText(keyId) };
    await this.#connections.connection.run(recordServiceUse, values);
  }

  async renewHash({ serviceId, keyId, expected, hash }: RenewSecretHash): Promise<boolean> {
    const values = {
      serviceId: escapeText(serviceId),
      keyId: escapeText(keyId),
      expectedHash: packSecretHash(expected),
      hash: packSecretHash(hash),
    };
    const renewed = await this.#connections.connection.run(renewSecretHash, values);
    return renewed.length > 0;
  }

  async remove({ serviceId, by }: { serviceId: string; by: string }): Promise<boolean> {
    return this.#connections.writeOne(removeService, { serviceId: escapeText(serviceId), by: escapeText(by) });
  }

  async list(): Promise<readonly ListedServiceRecord[]> {
    const rows = await this.#connections.connection.run(listServices, {});
    return rows.map(readListed).toSorted(byServiceId);
  }

  #readFound(stored: RowReader): ServiceCredentialRecord {
    return this.#read(unescapeText(stored.peek() ?? ''), stored);
  }

  #read(serviceId: string, stored: RowReader): ServiceCredentialRecord {
    try {
      return readServiceRow(stored);
    } catch {
      throw unreadableService(this.#connections.names, serviceId);
    }
  }
}

function readListed(stored: RowReader): ListedServiceRecord {
  const serviceId = unescapeText(stored.peek() ?? '');
  try {
    return readServiceRow(stored);
  } catch {
    return { serviceId, unreadable: 'corrupt' };
  }
}
