import { describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { createAclUser, urlOf } from '../support/redis/acl-roles.js';
import { ENDING, endAll, idsOf, login, tagOf } from '../support/redis/tagged-sessions.js';
import { NEW, OLD, useTagKeys } from '../support/redis/use-tag-keys.js';
import { settle } from '../support/storage/settled-call.js';
import { created } from '../support/storage/storage-calls.js';

const store = useTagKeys();
const { start, connect, stop, stored, changed, changedStore } = store;

describe('A change of the tag key', () => {
  test.each([
    ['in one step', [[OLD], [NEW, OLD]]],
    ['in two steps', [[OLD], [OLD, NEW], [NEW, OLD]]],
    ['from no key', [[], [NEW, 'none']]],
    ['to no key', [[OLD], ['none', OLD]]],
  ])(
    '%s stops no process, in a rolling restart of two',
    async (_name, steps) => {
      const [earliest, ...later] = steps as [string[], ...string[][]];
      const processes = [await start(...earliest), await start(...earliest)];
      const fingerprint = await stored('fingerprint');
      const sessionIds: string[] = [];
      const use = async () => {
        for (const storage of processes) {
          const result = await login(storage);
          if (result.outcome !== 'created') throw new Error(result.outcome);
          sessionIds.push(result.session.sessionId);
          for (const reader of processes) expect(await idsOf(reader)).toEqual(sessionIds);
        }
      };
      await use();
      for (const keys of later) {
        for (const index of processes.keys()) {
          const replaced = processes[index]!;
          processes[index] = await start(...keys);
          await stop(replaced);
          await use();
        }
      }
      await changed(fingerprint);
      await use();
      const tags = new Set(sessionIds.map((sessionId) => tagOf({ sessionId })));
      expect(tags.size).toBe(2);
      expect(await endAll(processes[0]!)).toEqual(sessionIds);
      for (const storage of processes) expect(await idsOf(storage)).toEqual([]);
    },
    60_000,
  );

  test('waits for as long as a process runs that does not have the new key, and then happens by itself', async () => {
    const old = await start(OLD);
    const fingerprint = await stored('fingerprint');
    const both = await start(NEW, OLD);
    await eventually(() => String(store.warned.mock.calls).includes('has a new tagKey that this one does not have'));
    await eventually(() =>
      String(store.logged.mock.calls).includes('keeps its tagKey until every process has the new one'),
    );
    const now = both.now();
    // Longer than the change waits without an objection.
    await eventually(() => both.now() > now + 2_500);
    expect(await stored('fingerprint')).toBe(fingerprint);
    const ids = [await created(old, 'alice'), await created(both, 'alice')].map(({ sessionId }) => sessionId);
    for (const storage of [old, both]) expect(await idsOf(storage)).toEqual(ids);
    await stop(old);
    await changed(fingerprint);
    expect(await idsOf(both)).toEqual(ids);
    expect(String(store.logged.mock.calls)).toContain('uses the first tagKey from now on');
  }, 60_000);

  test('asks for a process with the role owner if no process may change the store', async () => {
    const old = await start(OLD, NEW);
    const fingerprint = await stored('fingerprint');
    const user = await createAclUser(store.server, 'sessions');
    const url = urlOf(store.server, user);
    const limited = await connect({ url, heartbeatIntervalMs: 50, tagKey: [NEW, OLD] });
    await eventually(() => String(store.warned.mock.calls).includes('Start one process with the role owner'));
    const ids = [await created(limited, 'alice'), await created(old, 'alice')].map(({ sessionId }) => sessionId);
    expect(await idsOf(limited)).toEqual(ids);
    expect(await stored('fingerprint')).toBe(fingerprint);
    await start(NEW, OLD);
    await changed(fingerprint);
    expect(await idsOf(limited)).toEqual(ids);
    expect(await login(limited)).toMatchObject({ outcome: 'created' });
  }, 60_000);

  test('refuses a process that does not have the current key, and one without an earlier key that is in use', async () => {
    const { both, sessions } = await changedStore();
    const lacksCurrent = /different tagKey: set the same tagKey in every service \(to change it, list both/;
    expect(await settle(() => start(OLD))).toMatchObject({
      outcome: 'ERR_OPTIONS',
      message: expect.stringMatching(lacksCurrent),
    });
    const lacksEarlier = /live sessions under an earlier tagKey that this process does not have: keep that one/;
    const refused = await settle(() => start(NEW));
    expect(refused).toMatchObject({ outcome: 'ERR_OPTIONS', message: expect.stringMatching(lacksEarlier) });
    expect(refused.message).not.toMatch(/old tag|new tag/);
    for (const { sessionId } of sessions.slice(0, 2)) await both.end({ ...ENDING, sessionId });
    const last = await start(NEW);
    expect(await idsOf(last)).toEqual([sessions[2]!.sessionId]);
    expect(await stored('earlier')).toBe('');
    await start(NEW);
  }, 60_000);

  test('survives the loss of all data meanwhile: the store keeps the key that it used', async () => {
    const old = await start(OLD);
    const fingerprint = await stored('fingerprint');
    await start(NEW, OLD);
    await store.server.call('FLUSHALL');
    await eventually(async () => (await store.server.call('EXISTS', '{ds}:meta')) === 1);
    expect(await stored('fingerprint')).toBe(fingerprint);
    expect(await idsOf(old)).toEqual([]);
    expect(store.logged).not.toHaveBeenCalledWith(expect.stringMatching(/uses the first tagKey/));
  }, 60_000);
});
