import assert from 'node:assert/strict';
import type { SessionRecord } from '../../storage/session-record.js';
import { textOf } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Creating, reading and replacing one session. */
export function describeRecords(context: StorageContext): void {
  const { it } = context.runner;
  const read = async (sessionId: string) => (await context.storage.get(sessionId)) as SessionRecord;

  context.topic('records', () => {
    it('session ids are unique lower-case UUIDs (RFC 9562)', async () => {
      const ids = Array.from({ length: 1_000 }, () => context.storage.nextSessionId('alice'));
      assert(ids.every((id) => UUID.test(id)));
      assert.equal(new Set(ids).size, ids.length);
    });

    it('create() returns the session as given, at version 1, last accessed at its creation', async () => {
      const before = context.storage.now();
      const created = await context.create({ ...context.brief, device: 'web', payload: Buffer.from('first') });
      assert.equal(created.state, 'live');
      assert.equal(created.loginId, 'alice');
      assert.equal(created.serviceId, 'tester');
      assert.equal(created.device, 'web');
      assert.equal(created.version, 1);
      assert.equal(textOf(created.payload), 'first');
      assert.equal(created.lastAccessedAt, created.createdAt);
      assert.equal(created.idleTimeoutMs, context.times.idle);
      assert.equal(created.absoluteExpiresAt, created.createdAt + context.times.absolute);
      assert(Number.isSafeInteger(created.createdAt) && created.createdAt >= before - 1_000);
    });

    it('get() returns every field of a created session', async () => {
      const created = await context.create({ device: 'web' });
      const found = await read(created.sessionId);
      assert.deepEqual({ ...found, payload: textOf(found.payload) }, { ...created, payload: textOf(created.payload) });
    });

    it('a record omits the fields that were not given', async () => {
      const created = await context.create({ idleTimeoutMs: undefined });
      for (const record of [created, await read(created.sessionId)]) {
        assert(!Object.hasOwn(record, 'device') || record.device === undefined);
        assert.equal(record.idleTimeoutMs, undefined);
        assert.equal(record.expiresAt, record.absoluteExpiresAt);
      }
    });

    it('get() returns undefined for an unknown id', async () => {
      assert.equal(await context.storage.get(context.storage.nextSessionId('alice')), undefined);
    });

    it('create() returns id-taken for the id of a live or ended session and leaves that session unchanged', async () => {
      const creation = context.creation();
      await context.create(creation);
      const again = { ...creation, loginId: 'mallory', payload: Buffer.from('other') };
      assert.deepEqual(await context.storage.create(again), { outcome: 'id-taken' });
      assert.equal(textOf((await read(creation.sessionId)).payload), 'payload');
      await context.storage.end({ ...creation, reason: 'logged-out' });
      assert.deepEqual(await context.storage.create(again), { outcome: 'id-taken' });
    });

    for (const [what, loginId] of [
      ['separators and wildcards', 'a:b{c}*?[d]|e f\t'],
      ['a zero byte', 'zero\u0000byte'],
      ['quotes and a semicolon', `o'neil";--`],
      ['other alphabets and emoji', '用户-мария-🦊'],
      ['prototype names', '__proto__'],
    ] as const) {
      it(`a login id with ${what} is stored unchanged`, async () => {
        const { sessionId } = await context.create({ loginId });
        assert.equal((await read(sessionId)).loginId, loginId);
        const listed = await context.storage.listByLogin(loginId);
        assert.deepEqual(
          listed.map((session) => session.sessionId),
          [sessionId],
        );
      });
    }

    it('a payload may contain any byte', async () => {
      const payload = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const { sessionId } = await context.create({ payload });
      assert.deepEqual([...(await read(sessionId)).payload], [...payload]);
    });

    it('the storage shares no mutable state with its arguments or results', async () => {
      const payload = Buffer.from('payload');
      const { sessionId } = await context.create({ payload });
      payload.fill(0);
      const first = await read(sessionId);
      first.payload.fill(0);
      assert.equal(textOf((await read(sessionId)).payload), 'payload');
      const replacement = Buffer.from('replaced');
      const change = { sessionId, expectedVersion: 1, payload: replacement, by: 'tester', touch: false };
      const replaced = await context.storage.replace(change);
      replacement.fill(0);
      assert(replaced.outcome === 'replaced');
      replaced.session.payload.fill(0);
      assert.equal(textOf((await read(sessionId)).payload), 'replaced');
    });

    it('replace() at the expected version writes the payload and increments the version', async () => {
      const created = await context.create({ device: 'web' });
      const payload = Buffer.from('second');
      const change = { sessionId: created.sessionId, expectedVersion: 1, payload, by: 'other', touch: false };
      const result = await context.storage.replace(change);
      assert(result.outcome === 'replaced');
      const expected = { ...created, version: 2, payload: 'second' };
      assert.deepEqual({ ...result.session, payload: textOf(result.session.payload) }, expected);
      const found = await read(created.sessionId);
      assert.deepEqual({ ...found, payload: textOf(found.payload) }, expected);
    });

    it('replace() at another version writes nothing and returns the current record', async () => {
      const { sessionId } = await context.create();
      const change = { sessionId, payload: Buffer.from('late'), by: 'tester', touch: true };
      for (const expectedVersion of [0, 2, 99]) {
        const result = await context.storage.replace({ ...change, expectedVersion });
        assert(result.outcome === 'conflict');
        assert.equal(result.session.version, 1);
        assert.equal(textOf(result.session.payload), 'payload');
      }
      assert.equal((await read(sessionId)).version, 1);
    });

    it('replace() of an unknown session returns missing and creates nothing', async () => {
      const sessionId = context.storage.nextSessionId('alice');
      const change = { sessionId, expectedVersion: 1, payload: Buffer.from('x'), by: 'tester', touch: true };
      assert.deepEqual(await context.storage.replace(change), { outcome: 'missing' });
      assert.equal(await context.storage.get(sessionId), undefined);
      assert.deepEqual(await context.storage.count(), { sessions: 0, logins: 0 });
    });

    it('of 20 concurrent replacements at one version, exactly one succeeds', async () => {
      const { sessionId } = await context.create();
      const change = { sessionId, expectedVersion: 1, by: 'tester', touch: false };
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          context.storage.replace({ ...change, payload: Buffer.from(`writer ${n}`) }),
        ),
      );
      const won = results.filter((result) => result.outcome === 'replaced');
      assert.equal(won.length, 1);
      assert.equal(results.filter((result) => result.outcome === 'conflict').length, 19);
      assert.equal(
        textOf((await read(sessionId)).payload),
        textOf((won[0] as { session: SessionRecord }).session.payload),
      );
    });
  });
}
