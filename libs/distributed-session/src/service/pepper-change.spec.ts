import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';

const [OLD, NEW] = ['the old pepper of the services', 'the new pepper of the services'];
const HOUR = 3_600_000;

const register = async (manager: DistributedSessionManager, serviceId: string) =>
  (await manager.registerService({ serviceId, serviceName: serviceId, permissions: [] })).secret;

/** Verifies a secret and lets the renewal in the background finish. */
const use = async (manager: DistributedSessionManager, secret: string) => {
  await manager.verifyService('order', secret);
  await new Promise(setImmediate);
};

describe('A change of the pepper', () => {
  let clock: FakeClock;
  let storage: InMemorySessionStorage;
  let managers: DistributedSessionManager[];
  let error: jest.SpiedFunction<Logger['error']>;
  let warn: jest.SpiedFunction<Logger['warn']>;

  beforeEach(() => {
    clock = new FakeClock();
    storage = new InMemorySessionStorage({ clock });
    managers = [];
    error = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  });

  afterEach(async () => {
    for (const manager of managers) await manager.close();
    jest.restoreAllMocks();
  });

  const start = async (...secretPepper: string[]) => {
    const options = { serviceId: 'app', storage, sweepIntervalMs: null, verificationCacheMs: 0 };
    const manager = new DistributedSessionManager(secretPepper.length > 0 ? { ...options, secretPepper } : options);
    await manager.connect();
    managers.push(manager);
    return manager;
  };
  const peppers = async () => {
    const [secret] = (await storage.services.find('order'))!.secrets;
    return [secret!.hash, ...(secret!.hash.also ?? [])].map(({ pepper }) => pepper);
  };
  it('logs at the start which services a process cannot verify, and what to do, once', async () => {
    const old = await start(OLD);
    const secret = await register(old, 'order');
    await register(old, 'pay');
    expect(error).not.toHaveBeenCalled();
    const other = await start(NEW);
    const names = expect.stringMatching(/services 'order', 'pay' .*Add that pepper to secretPepper, or rotate/);
    expect(error.mock.calls).toEqual([[names]]);
    await expect(other.verifyService('order', secret)).rejects.toMatchObject({ code: 'ERR_SERVICE_AUTHENTICATION' });
    expect(error).toHaveBeenCalledTimes(1);
  });

  it('logs a verification that fails for want of the pepper, which its caller cannot tell from a wrong secret', async () => {
    const other = await start(NEW);
    const old = await start(OLD);
    const secret = await register(old, 'order');
    const [missing, wrong] = await Promise.all(
      [secret, `${secret}x`].map((each) => other.verifyService('order', each).catch((thrown: unknown) => thrown)),
    );
    expect(JSON.stringify(missing)).toBe(JSON.stringify(wrong));
    expect((missing as Error).message).toBe((wrong as Error).message);
    expect(missing).toMatchObject({ cause: { code: 'ERR_KEY_UNAVAILABLE', keyId: (await peppers())[0] } });
    expect(error.mock.calls).toEqual([
      [expect.stringMatching(/^The service 'order' has secrets .* add|Add that pepper/)],
    ]);
    expect(String(error.mock.calls)).not.toMatch(/old pepper|dss_/);
  });

  it('logs nothing for a wrong secret of a service whose pepper it has', async () => {
    const manager = await start(NEW, OLD);
    const secret = await register(manager, 'order');
    const rejected = await manager.verifyService('order', `${secret}x`).catch((thrown: unknown) => thrown);
    expect(rejected).not.toHaveProperty('cause');
    expect(error).not.toHaveBeenCalled();
  });

  it('adds the hash under the first pepper after a use, and no older process takes it back', async () => {
    const old = await start(OLD);
    const secret = await register(old, 'order');
    const [only] = await peppers();
    await use(await start(NEW, OLD), secret);
    const renewed = await peppers();
    expect(renewed).toEqual([expect.stringMatching(/^[\w-]{8}$/), only]);
    expect(renewed[0]).not.toBe(only);
    for (const peppersOfOlder of [[OLD], [OLD, NEW]]) {
      const older = await start(...peppersOfOlder);
      clock.advance(2 * HOUR);
      await use(older, secret);
      expect(await peppers()).toEqual(renewed);
    }
    expect(warn).not.toHaveBeenCalled();
  });

  it('removes the earlier hash once a process without the earlier pepper has run for longer than a restart takes', async () => {
    const both = await start(NEW, OLD);
    const secret = await register(both, 'order');
    const [first] = await peppers();
    const later = await start(NEW);
    for (let minutes = 0; minutes < 60; minutes += 2) {
      await use(later, secret);
      expect(await peppers()).toHaveLength(2);
      clock.advance(HOUR / 30);
    }
    await use(later, secret);
    expect(await peppers()).toEqual([first]);
  });

  it('of a process that may not write services still verifies, and warns', async () => {
    const old = await start(OLD);
    const secret = await register(old, 'order');
    storage.services.renewHash = () => Promise.reject(new RangeError());
    await use(await start(NEW, OLD), secret);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/Failed to renew the hash of a secret of 'order'/)]]);
  });
});
