import { describe, expect, it } from '@jest/globals';
import { OwnWrites } from './own-writes.js';

/** A write in flight until the test ends it. */
function startedWrite(writes: OwnWrites) {
  let origin = '';
  let end: (() => void) | undefined;
  const done = writes.run((given) => {
    origin = given;
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  return {
    origin,
    end: async () => {
      end?.();
      await done;
    },
  };
}

const run = async (writes: OwnWrites) => writes.run(async (origin) => origin);
const failed = async (writes: OwnWrites) => {
  let origin = '';
  const write = writes.run(async (given) => {
    origin = given;
    throw new Error('lost');
  });
  await expect(write).rejects.toThrow('lost');
  return origin;
};

describe('OwnWrites', () => {
  it("returns a write's result, and gives each write its own origin", async () => {
    const [writes, others] = [new OwnWrites(), new OwnWrites()];
    const origins = [await run(writes), await run(writes), await run(others), await run(others)];
    expect(new Set(origins).size).toBe(4);
  });

  it('recognises a write that was complete before, but not one that started later', async () => {
    const writes = new OwnWrites();
    const earlier = await run(writes);
    const before = writes.before();
    const later = await run(writes);
    expect([earlier, later].map((origin) => writes.wasBefore(origin, before))).toEqual([true, false]);
  });

  it('does not count a write that was in flight then as complete, even after it has ended', async () => {
    const writes = new OwnWrites();
    const write = startedWrite(writes);
    const before = writes.before();
    await write.end();
    expect(writes.wasBefore(write.origin, before)).toBe(false);
    expect(writes.wasBefore(write.origin, writes.before())).toBe(true);
  });

  it('never counts a failed write as complete: it may still be applied', async () => {
    const writes = new OwnWrites();
    const origin = await failed(writes);
    expect(writes.wasBefore(origin, writes.before())).toBe(false);
  });

  it('remembers 1,000 failed writes, then forgets the oldest', async () => {
    const writes = new OwnWrites();
    const origins: string[] = [];
    for (let n = 0; n < 1_001; n++) origins.push(await failed(writes));
    const before = writes.before();
    expect(origins.map((origin) => writes.wasBefore(origin, before)).indexOf(false)).toBe(1);
    expect(before.unsettled.size).toBe(1_000);
  });

  it.each([undefined, '', 'x', ':', '1', 'x:1', 'x:NaN'])(
    'attributes a change with a foreign origin to another process: %p',
    async (origin) => {
      const writes = new OwnWrites();
      await run(writes);
      expect(writes.wasBefore(origin, writes.before())).toBe(false);
      const [instance] = (await run(writes)).split(':');
      expect(writes.wasBefore(`${instance}:x`, writes.before())).toBe(false);
      expect(writes.wasBefore(await run(new OwnWrites()), writes.before())).toBe(false);
    },
  );
});
