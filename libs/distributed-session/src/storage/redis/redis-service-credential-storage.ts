import { StorageFullError } from '../../errors/storage.errors.js';
import {
  type AddServiceSecret,
  type AddServiceSecretResult,
  type ListedServiceRecord,
  MAX_SERVICES,
  type PutService,
  type PutServiceResult,
  type RenewSecretHash,
  ServiceCredentialStorage,
  type ServiceCredentialRecord,
} from '../service-credential-storage.js';
import { byServiceId, packSecretHash } from '../shared/service-records.js';
import { packText } from './records/bytes.js';
import { unpackRedisService } from './records/stored-service.js';
import type { UnreadableValueError } from './records/stored-session.js';
import type { RedisConnections } from './redis-connections.js';
import { addServiceSecretScript } from './scripts/add-service-secret.script.js';
import { endServiceSecretScript } from './scripts/end-service-secret.script.js';
import { findServiceScript } from './scripts/find-service.script.js';
import { listServicesScript } from './scripts/list-services.script.js';
import { putServiceScript } from './scripts/put-service.script.js';
import { recordServiceUseScript } from './scripts/record-service-use.script.js';
import { removeServiceScript } from './scripts/remove-service.script.js';
import { renewSecretHashScript } from './scripts/renew-secret-hash.script.js';
import type { SessionKeys } from './session-keys.js';
import { unreadable } from './stored-value-errors.js';

/** Stores service credentials in one Redis hash, so that one command finds, lists and counts them. */
export class RedisServiceCredentialStorage extends ServiceCredentialStorage {
  readonly #keys: { readonly services: string; readonly keyIds: string; readonly sequence: string };
  readonly #connections: RedisConnections;

  constructor(connections: RedisConnections, keys: SessionKeys) {
    super();
    this.#connections = connections;
    this.#keys = { services: keys.services, keyIds: keys.serviceKeyIds, sequence: keys.serviceSequence };
  }

  async put({ serviceId, serviceName, permissions, secret, replace, by }: PutService): Promise<PutServiceResult> {
    const { outcome, rest } = await this.#connections.write(putServiceScript, this.#keys, {
      serviceId,
      name: serviceName,
      permissions: JSON.stringify(permissions),
      keyId: secret.keyId,
      hash: packSecretHash(secret.hash),
      replace: replace ? '1' : '0',
      by: packText(by),
    });
    switch (outcome) {
      case 'stored':
        return { outcome, service: this.#unpack(rest[0]!, Number(rest[1])) };
      case 'full':
        throw new StorageFullError(MAX_SERVICES);
      case 'unreadable':
        throw this.#unreadable(serviceId, rest[0]!);
      case 'look-alike':
        return { outcome, serviceId: rest[0]!.toString() };
      default:
        return { outcome: 'exists' };
    }
  }

  async find(serviceId: string): Promise<ServiceCredentialRecord | undefined> {
    return serviceId === '' ? undefined : this.#find({ serviceId, keyId: '' });
  }

  async findByKeyId(keyId: string): Promise<ServiceCredentialRecord | undefined> {
    const service = await this.#find({ serviceId: '', keyId });
    return service?.secrets.some((secret) => secret.keyId === keyId) ? service : undefined;
  }

  async addSecret(addition: AddServiceSecret): Promise<AddServiceSecretResult> {
    const { serviceId, expectedVersion, secret, overlapMs, by } = addition;
    const { outcome, rest } = await this.#connections.write(addServiceSecretScript, this.#keys, {
      serviceId,
      expectedVersion,
      keyId: secret.keyId,
      hash: packSecretHash(secret.hash),
      overlap: overlapMs,
      by: packText(by),
    });
    switch (outcome) {
      case 'stored':
        return { outcome, service: this.#unpack(rest[0]!, Number(rest[1])) };
      case 'unreadable':
        throw this.#unreadable(serviceId, rest[0]!);
      default:
        return { outcome: outcome as 'too-many-secrets' | 'conflict' | 'missing' };
    }
  }

  async endSecret({ serviceId, keyId, by }: { serviceId: string; keyId: string; by: string }): Promise<boolean> {
    const args = { serviceId, keyId, by: packText(by) };
    const { outcome, rest } = await this.#connections.write(endServiceSecretScript, this.#keys, args);
    if (outcome === 'unreadable') throw this.#unreadable(serviceId, rest[0]!);
    return outcome === 'ended';
  }

  async recordUse({ serviceId, keyId }: { serviceId: string; keyId: string }): Promise<void> {
    const args = { serviceId, keyId };
    await this.#connections.write(recordServiceUseScript, this.#keys, args);
  }

  async renewHash({ serviceId, keyId, expected, hash }: RenewSecretHash): Promise<boolean> {
    const { outcome } = await this.#connections.write(renewSecretHashScript, this.#keys, {
      serviceId,
      keyId,
      expectedHash: packSecretHash(expected),
      hash: packSecretHash(hash),
    });
    return outcome === 'renewed';
  }

  async remove({ serviceId, by }: { serviceId: string; by: string }): Promise<boolean> {
    const args = { serviceId, by: packText(by) };
    const { outcome } = await this.#connections.write(removeServiceScript, this.#keys, args);
    return outcome === 'removed';
  }

  async list(): Promise<readonly ListedServiceRecord[]> {
    const { services } = this.#keys;
    const reply = await this.#connections.connection.run(listServicesScript, { services }, {});
    const [now, fields] = reply as readonly [number, readonly Buffer[]];
    const listed: ListedServiceRecord[] = [];
    for (let at = 0; at < fields.length; at += 2) listed.push(this.#listed(String(fields[at]), fields[at + 1]!, now));
    return listed.toSorted(byServiceId);
  }

  #listed(serviceId: string, value: Buffer, now: number): ListedServiceRecord {
    try {
      return unpackRedisService(value, now);
    } catch (error) {
      return { serviceId, unreadable: (error as UnreadableValueError).newerFormat ? 'newer-format' : 'corrupt' };
    }
  }

  async #find(by: { serviceId: string; keyId: string }): Promise<ServiceCredentialRecord | undefined> {
    const reply = await this.#connections.connection.run(findServiceScript, this.#keys, by);
    const [now, value] = reply as readonly [number, (Buffer | null)?];
    return value ? this.#unpack(value, now) : undefined;
  }

  #unpack(value: Buffer, now: number): ServiceCredentialRecord {
    try {
      return unpackRedisService(value, now);
    } catch (error) {
      throw unreadable('A service record', this.#keys.services, '<service id>', error);
    }
  }

  /** Creates the error for a record that a script could not read. */
  #unreadable(serviceId: string, value: Buffer): Error {
    try {
      unpackRedisService(value, 0);
      return unreadable(`Service ${serviceId}`, this.#keys.services, serviceId, undefined);
    } catch (error) {
      return unreadable(`Service ${serviceId}`, this.#keys.services, serviceId, error);
    }
  }
}
