import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ServiceInputError } from '../errors/service.errors.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import type { AddServiceSecret } from '../storage/service-credential-storage.js';
import { SecretHasher } from './secret-hasher.js';
import { ServiceAccess } from './service-access.js';
import type { ServiceRegistration } from './service-input.js';
import { ServiceRegistry } from './service-registry.js';

const CHOSEN = 'correct horse battery staple';
const admin = ServiceAccess.unrestricted('admin');

function limited(...permissions: string[]): ServiceAccess {
  return admin.narrowedTo({ serviceId: 'clerk', permissions: ['service.manage', ...permissions] });
}

const missing = (permission: string) => ({ code: 'ERR_SERVICE_PERMISSION', serviceId: 'clerk', permission });

describe('ServiceRegistry', () => {
  let storage: InMemorySessionStorage;
  let registry: ServiceRegistry;

  beforeEach(() => {
    storage = new InMemorySessionStorage();
    registry = new ServiceRegistry(storage.services, new SecretHasher(), () => {});
  });

  function register(given: Partial<ServiceRegistration>, access = admin, replace = false) {
    const registration = { serviceId: 'pay', serviceName: 'Pay', permissions: ['session.read'], ...given };
    return registry.register(registration, replace, access);
  }

  const stored = (serviceId = 'pay') => storage.services.find(serviceId);

  it('lets no service choose a secret, whatever its permissions, and does not reveal whether one is in use', async () => {
    await register({ secretKey: CHOSEN });
    const before = await stored();
    const everything = admin.narrowedTo({ serviceId: 'clerk', permissions: ['*'] });
    const messages = new Set<string>();
    for (const secretKey of [CHOSEN, 'a secret that no service has', 'short']) {
      for (const attempt of [
        register({ serviceId: 'order', secretKey }, everything),
        register({ secretKey }, everything, true),
        registry.rotateSecret('pay', { secretKey }, everything),
        registry.rotateSecret('unknown', { secretKey }, everything),
      ]) {
        const error = (await attempt.catch((thrown: unknown) => thrown)) as ServiceInputError;
        expect(error).toMatchObject({ code: 'ERR_SERVICE_INPUT', field: 'secretKey' });
        messages.add(error.message);
      }
    }
    expect([...messages]).toEqual([
      "secretKey is only available to the application's own manager, not to a service that acts through as(). " +
        'Omit it to generate a secret.',
    ]);
    expect(await storage.services.list()).toEqual([before]);
  });

  it('lets a caller with limited permissions grant only its own permissions', async () => {
    const clerk = limited('session.read:cart.*', 'session.list');
    await expect(register({ permissions: ['session.list', 'session.read:cart.total'] }, clerk)).resolves.toBeDefined();
    for (const permission of ['session.read', 'session.read:role', 'session.*', '*', 'service.*', 'session.write']) {
      const escalating = register({ serviceId: 'x', permissions: ['session.list', permission] }, clerk);
      await expect(escalating).rejects.toMatchObject(missing(permission));
    }
    expect(await stored('x')).toBeUndefined();
  });

  it('prevents a caller with limited permissions from replacing a more privileged service or adding a secret to it', async () => {
    await register({ permissions: ['session.read'] });
    const before = await stored();
    const clerk = limited('session.list');
    await expect(register({ permissions: ['session.read'] }, clerk, true)).rejects.toMatchObject(
      missing('session.read'),
    );
    for (const options of [{}, { overlapMs: 0 }]) {
      await expect(registry.rotateSecret('pay', options, clerk)).rejects.toMatchObject(missing('session.read'));
    }
    expect(await stored()).toEqual(before);
  });

  it('adds no secret to a service that gained permissions at the same time', async () => {
    await register({ permissions: [] });
    const { services } = storage;
    const addSecret = services.addSecret.bind(services);
    services.addSecret = async (addition: AddServiceSecret) => {
      await register({ permissions: ['*'] }, admin, true);
      return addSecret(addition);
    };
    await expect(registry.rotateSecret('pay', {}, limited())).rejects.toMatchObject(missing('*'));
  });
});
