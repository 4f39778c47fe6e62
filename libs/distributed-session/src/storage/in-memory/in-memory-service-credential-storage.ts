import { StorageFullError } from '../../errors/storage.errors.js';
import { serviceIdSkeleton } from '../../model/service-id.js';
import {
  type AddServiceSecret,
  type AddServiceSecretResult,
  MAX_SERVICES,
  MAX_SERVICE_SECRETS,
  type PutService,
  type PutServiceResult,
  type RenewSecretHash,
  type SecretHash,
  ServiceCredentialStorage,
  type ServiceCredentialRecord,
  type StoredServiceSecret,
} from '../service-credential-storage.js';
import type { ServiceChangedChange } from '../storage-change.js';
import type { ChangeListeners } from '../shared/change-listeners.js';
import { packSecretHash } from '../shared/service-records.js';

/** The credentials of services, in the memory of one process. */
export class InMemoryServiceCredentialStorage extends ServiceCredentialStorage {
  readonly #services = new Map<string, ServiceCredentialRecord>();

  constructor(
    private readonly feed: ChangeListeners,
    /** The clock of the session storage. Throws if that storage is closed. */
    private readonly openNow: () => number,
  ) {
    super();
  }

  async put({ serviceId, serviceName, permissions, secret, replace, by }: PutService): Promise<PutServiceResult> {
    const now = this.openNow();
    const existing = this.#services.get(serviceId);
    if (existing && !replace) return { outcome: 'exists' };
    const lookAlike = existing ? undefined : this.#lookAlikeOf(serviceId);
    if (lookAlike !== undefined) return { outcome: 'look-alike', serviceId: lookAlike };
    if (!existing && this.#services.size >= MAX_SERVICES) throw new StorageFullError(MAX_SERVICES);
    const service: ServiceCredentialRecord = {
      serviceId,
      serviceName,
      permissions: [...permissions],
      version: (existing?.version ?? 0) + 1,
      createdAt: existing?.createdAt ?? now,
      secrets: [{ ...secret, hash: copyOfHash(secret.hash), createdAt: now }],
    };
    this.#services.set(serviceId, service);
    this.#publish(serviceId, existing ? 'replaced' : 'registered', by, now);
    return { outcome: 'stored', service: copyOf(service) };
  }

  async find(serviceId: string): Promise<ServiceCredentialRecord | undefined> {
    const service = this.#current(serviceId, this.openNow());
    return service && copyOf(service);
  }

  async findByKeyId(keyId: string): Promise<ServiceCredentialRecord | undefined> {
    const now = this.openNow();
    for (const serviceId of this.#services.keys()) {
      const service = this.#current(serviceId, now);
      if (service?.secrets.some((secret) => secret.keyId === keyId)) return copyOf(service);
    }
    return undefined;
  }

  async addSecret(addition: AddServiceSecret): Promise<AddServiceSecretResult> {
    const { serviceId, expectedVersion, secret, overlapMs, by } = addition;
    const now = this.openNow();
    const service = this.#current(serviceId, now);
    if (!service) return { outcome: 'missing' };
    if (service.version !== expectedVersion) return { outcome: 'conflict' };
    const end = now + overlapMs;
    const kept =
      overlapMs === 0 ? [] : service.secrets.map((old) => ({ ...old, endsAt: Math.min(old.endsAt ?? end, end) }));
    if (kept.length >= MAX_SERVICE_SECRETS) return { outcome: 'too-many-secrets' };
    const added = { ...secret, hash: copyOfHash(secret.hash), createdAt: now };
    const changed = { ...service, version: service.version + 1, secrets: [...kept, added] };
    this.#services.set(serviceId, changed);
    this.#publish(serviceId, 'secret-added', by, now);
    return { outcome: 'stored', service: copyOf(changed) };
  }

  async endSecret({ serviceId, keyId, by }: { serviceId: string; keyId: string; by: string }): Promise<boolean> {
    const now = this.openNow();
    const service = this.#current(serviceId, now);
    const kept = service?.secrets.filter((secret) => secret.keyId !== keyId);
    if (!service || !kept || kept.length === service.secrets.length) return false;
    this.#services.set(serviceId, { ...service, version: service.version + 1, secrets: kept });
    this.#publish(serviceId, 'secret-ended', by, now);
    return true;
  }

  async recordUse({ serviceId, keyId }: { serviceId: string; keyId: string }): Promise<void> {
    const now = this.openNow();
    const service = this.#current(serviceId, now);
    if (!service) return;
    const used = (secret: StoredServiceSecret): StoredServiceSecret =>
      secret.keyId === keyId ? { ...secret, lastUsedAt: Math.max(secret.lastUsedAt ?? now, now) } : secret;
    this.#services.set(serviceId, { ...service, secrets: service.secrets.map(used) });
  }

  async renewHash({ serviceId, keyId, expected, hash }: RenewSecretHash): Promise<boolean> {
    const service = this.#current(serviceId, this.openNow());
    const stored = service?.secrets.find((secret) => secret.keyId === keyId);
    if (!service || !stored || packSecretHash(stored.hash) !== packSecretHash(expected)) return false;
    const secrets = service.secrets.map((secret) =>
      secret === stored ? { ...secret, hash: copyOfHash(hash) } : secret,
    );
    this.#services.set(serviceId, { ...service, secrets });
    return true;
  }

  async remove({ serviceId, by }: { serviceId: string; by: string }): Promise<boolean> {
    const now = this.openNow();
    const existed = this.#services.delete(serviceId);
    if (existed) this.#publish(serviceId, 'revoked', by, now);
    return existed;
  }

  async list(): Promise<readonly ServiceCredentialRecord[]> {
    const now = this.openNow();
    return [...this.#services.keys()].toSorted().map((serviceId) => copyOf(this.#current(serviceId, now)!));
  }

  #lookAlikeOf(serviceId: string): string | undefined {
    const skeleton = serviceIdSkeleton(serviceId);
    return [...this.#services.keys()].find((registered) => serviceIdSkeleton(registered) === skeleton);
  }

  /** Returns the service without the secrets that have ended. */
  #current(serviceId: string, now: number): ServiceCredentialRecord | undefined {
    const service = this.#services.get(serviceId);
    return (
      service && { ...service, secrets: service.secrets.filter(({ endsAt }) => endsAt === undefined || now < endsAt) }
    );
  }

  #publish(serviceId: string, change: ServiceChangedChange['change'], by: string, at: number): void {
    this.feed.publish({ type: 'service.changed', change, serviceId, by, at });
  }
}

function copyOf(service: ServiceCredentialRecord): ServiceCredentialRecord {
  return {
    ...service,
    permissions: [...service.permissions],
    secrets: service.secrets.map((secret) => ({ ...secret, hash: copyOfHash(secret.hash) })),
  };
}

function copyOfHash({ also, ...hash }: SecretHash): SecretHash {
  return { ...hash, ...(also && { also: also.map((other) => ({ ...other })) }) };
}
