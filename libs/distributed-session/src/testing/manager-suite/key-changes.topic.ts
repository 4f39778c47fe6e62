import assert from 'node:assert/strict';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import { rejectsWith, until } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

const [OLD, NEW] = ['the old key of all services of the application', 'the new key of all services of the application'];
const CHOSEN = 'a secret that the caller chose';

/** The key of each process of a rolling restart, in the order in which the processes are replaced. */
const CHANGES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'to a new key in one step': [[OLD], [NEW, OLD], [NEW]],
  'to a new key in two steps': [[OLD], [OLD, NEW], [NEW, OLD], [NEW]],
  'from no key to one': [[], [NEW, 'none'], [NEW]],
  'from no key to one in two steps': [[], ['none', NEW], [NEW, 'none'], [NEW]],
  'from a key to none': [[OLD], ['none', OLD], ['none']],
};

/** Two processes of one step, and each order of using them. */
const steps = (keys: readonly (readonly string[])[]) =>
  keys.slice(1).flatMap((later, index) => [
    [keys[index]!, later],
    [later, keys[index]!],
  ]);

const register = async (sessions: DistributedSessionManager, serviceId: string, secretKey?: string) => {
  const registration = { serviceId, serviceName: serviceId, permissions: [], secretKey };
  return (await sessions.registerService(registration, { replace: true })).secret;
};

const withTokenKey = (tokenKey: readonly string[]) => (tokenKey.length > 0 ? { tokenKey } : {});

/** Changes of the pepper and of the token key while processes with the earlier and with the later one run. */
export function describeKeyChanges(context: StorageContext): void {
  const { it } = context.runner;

  const withPepper = async (secretPepper: readonly string[]) =>
    context.manager(secretPepper.length > 0 ? { secretPepper } : {});

  const peppers = async (serviceId: string) => {
    const [secret] = (await context.storage.services.find(serviceId))!.secrets;
    return 1 + (secret!.hash.also?.length ?? 0);
  };

  context.topic('key changes', () => {
    for (const [change, keys] of Object.entries(CHANGES)) {
      it(`a change of the pepper ${change} rejects no service, in any order of processes`, async () => {
        for (const [writer, reader] of steps(keys)) {
          const secrets = new Map<string, string>();
          const [first, second] = [await withPepper(writer!), await withPepper(reader!)];
          secrets.set('generated', await register(first, 'generated'));
          secrets.set('chosen', await register(first, 'chosen', CHOSEN));
          for (const sessions of [second, first, second, await withPepper(writer!), await withPepper(reader!)]) {
            for (const [serviceId, secret] of secrets) {
              assert.equal((await sessions.verifyService(serviceId, secret)).serviceId, serviceId);
              await rejectsWith(sessions.verifyService(serviceId, `${secret}x`), 'ERR_SERVICE_AUTHENTICATION');
            }
          }
        }
      });

      it(`a change of the token key ${change} ends no session, in any order of processes`, async () => {
        for (const [writer, reader] of steps(keys)) {
          const [first, second] = [
            await context.manager(withTokenKey(writer!)),
            await context.manager(withTokenKey(reader!)),
          ];
          const { sessionId, credential } = await first.createSession('alice');
          for (const [turn, sessions] of [second, first, second, first].entries()) {
            if (turn > 0) await sessions.setAttribute(sessionId, 'turn', turn);
            assert.equal((await sessions.verifySession(credential)).sessionId, sessionId);
            await rejectsWith(sessions.verifySession(`${credential}x`), 'ERR_SESSION_NOT_FOUND');
          }
        }
      });
    }

    it('a change of the pepper keeps the services that were used while both were listed', async () => {
      const old = await withPepper([OLD]);
      const [used, unused] = [await register(old, 'used'), await register(old, 'unused')];
      const chosen = await register(old, 'chosen', CHOSEN);
      const both = await withPepper([NEW, OLD]);
      for (const [serviceId, secret] of Object.entries({ used, chosen })) await both.verifyService(serviceId, secret);
      await until(async () => (await peppers('used')) === 2 && (await peppers('chosen')) === 2, 'the renewed hashes');
      assert.equal(await peppers('unused'), 1);
      for (const sessions of [await withPepper([NEW]), await withPepper([OLD])]) {
        assert.equal((await sessions.verifyService('used', used)).serviceId, 'used');
        assert.equal((await sessions.verifyServiceSecret(used)).serviceId, 'used');
        assert.equal((await sessions.verifyService('chosen', chosen)).serviceId, 'chosen');
      }
      const late = await withPepper([NEW]);
      const error = await rejectsWith(late.verifyService('unused', unused), 'ERR_SERVICE_AUTHENTICATION');
      assert.equal((error.cause as { code?: string }).code, 'ERR_KEY_UNAVAILABLE');
    });

    it('a later pepper does not end the sessions whose digests have a key derived from the earlier one', async () => {
      const [old, both] = [await withPepper([OLD]), await withPepper([NEW, OLD])];
      const [early, late] = [await old.createSession('alice'), await both.createSession('alice')];
      for (const sessions of [old, both]) {
        for (const { sessionId, credential } of [early, late]) {
          assert.equal((await sessions.verifySession(credential)).sessionId, sessionId);
        }
      }
    });
  });
}
