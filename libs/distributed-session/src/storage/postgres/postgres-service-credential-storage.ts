import { StorageFullError } from '../../errors/storage.errors.js';
import {
  type AddServiceSecret,
  type AddServiceSecretResult,
  MAX_SERVICES,
  type PutService,
  type PutServiceResult,
  type ServiceCredentialRecord,
  ServiceCredentialStorage,
} from '../service-credential-storage.js';
import type { PostgresConnections } from './postgres-connections.js';
import { escapeText, unescapeText } from './records/escaped-text.js';
import { type Row, RowReader } from './records/row-reader.js';
import { unpackService } from './records/stored-service.js';
import { addServiceSecretStatement } from './statements/add-service-secret.statement.js';
import { endServiceSecretStatement } from './statements/end-service-secret.statement.js';
import { findServiceByKeyIdStatement } from './statements/find-service-by-key-id.statement.js';
import { findServiceStatement } from './statements/find-service.statement.js';
import { listServicesStatement } from './statements/list-services.statement.js';
import { putServiceStatement } from './statements/put-service.statement.js';
import { recordServiceUseStatement } from './statements/record-service-use.statement.js';
import { removeServiceStatement } from './statements/remove-service.statement.js';
import { unreadableService } from './unreadable-row.js';

/** The credentials of services in PostgreSQL: a row for each service, and one for each of its secrets. */
export class PostgresServiceCredentialStorage extends ServiceCredentialStorage {
  constructor(private readonly gateway: PostgresConnections) {
    super();
  }

  async put({ serviceId, serviceName, permissions, secret, replace, by }: PutService): Promise<PutServiceResult> {
    const reply = await this.gateway.writeOne(putServiceStatement, {
      serviceId: escapeText(serviceId),
      name: escapeText(serviceName),
      permissions: JSON.stringify(permissions),
      keyId: escapeText(secret.keyId),
      hash: JSON.stringify(secret.hash),
      replace,
      by: escapeText(by),
    });
    const outcome = reply.text();
    if (outcome === 'full') throw new StorageFullError(MAX_SERVICES);
    return outcome === 'stored' ? { outcome, service: this.#unpack(serviceId, reply) } : { outcome: 'exists' };
  }

  async find(serviceId: string): Promise<ServiceCredentialRecord | undefined> {
    const [row] = await this.gateway.connection.run(findServiceStatement, { serviceId: escapeText(serviceId) });
    return row && this.#unpackRow(row);
  }

  async findByKeyId(keyId: string): Promise<ServiceCredentialRecord | undefined> {
    const [row] = await this.gateway.connection.run(findServiceByKeyIdStatement, { keyId: escapeText(keyId) });
    const service = row && this.#unpackRow(row);
    return service?.secrets.some((secret) => secret.keyId === keyId) ? service : undefined;
  }

  async addSecret(addition: AddServiceSecret): Promise<AddServiceSecretResult> {
    const { serviceId, expectedVersion, secret, overlapMs, by } = addition;
    const reply = await this.gateway.writeOne(addServiceSecretStatement, {
      serviceId: escapeText(serviceId),
      expectedVersion,
      keyId: escapeText(secret.keyId),
      hash: JSON.stringify(secret.hash),
      overlapMs,
      by: escapeText(by),
    });
    const outcome = reply.text() as AddServiceSecretResult['outcome'];
    return outcome === 'stored' ? { outcome, service: this.#unpack(serviceId, reply) } : { outcome };
  }

  async endSecret({ serviceId, keyId, by }: { serviceId: string; keyId: string; by: string }): Promise<boolean> {
    const values = { serviceId: escapeText(serviceId), keyId: escapeText(keyId), by: escapeText(by) };
    return (await this.gateway.writeOne(endServiceSecretStatement, values)).boolean();
  }

  async recordUse({ serviceId, keyId }: { serviceId: string; keyId: string }): Promise<void> {
    const values = { serviceId: escapeText(serviceId), keyId: escapeText(keyId) };
    await this.gateway.connection.run(recordServiceUseStatement, values);
  }

  async remove({ serviceId, by }: { serviceId: string; by: string }): Promise<boolean> {
    const values = { serviceId: escapeText(serviceId), by: escapeText(by) };
    return (await this.gateway.writeOne(removeServiceStatement, values)).boolean();
  }

  async list(): Promise<readonly ServiceCredentialRecord[]> {
    const rows = await this.gateway.connection.run(listServicesStatement, {});
    return rows
      .map((row) => this.#unpackRow(row))
      .toSorted((a, b) => (a.serviceId < b.serviceId ? -1 : Number(a.serviceId > b.serviceId)));
  }

  #unpackRow(row: Row): ServiceCredentialRecord {
    return this.#unpack(unescapeText(row[0] ?? ''), new RowReader(row));
  }

  #unpack(serviceId: string, reply: RowReader): ServiceCredentialRecord {
    try {
      return unpackService(reply);
    } catch {
      throw unreadableService(this.gateway.names, serviceId);
    }
  }
}
