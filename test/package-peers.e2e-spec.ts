import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { packLibrary } from './support/packed-library.js';
import { HEALTH_PROGRAM, redisProgram } from './support/peer-programs.js';
import { type ProgramResult, outputOf } from './support/run-program.js';
import { compilePrograms, installApplication, runCompiled, writeProgram } from './support/sample-app.js';

const MINUTE = 60_000;

/** Versions of the optional peers that teams install together. `other` is another copy of ioredis in the same application. */
const APPLICATIONS = [
  { nest: 11, terminus: '11', ioredis: '5.4.1', other: '6', full: 'up' },
  { nest: 12, terminus: '12', ioredis: '6', other: '5', full: 'degraded' },
] as const;

describe.each(APPLICATIONS)(
  'An application on Nest $nest with Terminus $terminus, ioredis $ioredis and a copy of ioredis $other',
  ({ nest, terminus, ioredis, other, full }) => {
    let temporary: string;
    let application: string;
    let redis: RedisServer;
    let compiled: ProgramResult;

    beforeAll(async () => {
      temporary = await mkdtemp(join(tmpdir(), 'packed-library-'));
      application = join(temporary, 'app');
      const { tarball } = await packLibrary(temporary);
      const peers = [`@nestjs/terminus@${terminus}`, `ioredis@${ioredis}`, `other-ioredis@npm:ioredis@${other}`];
      await installApplication(application, nest, [tarball, 'class-validator@0.15', ...peers]);
      redis = await RedisServer.start();
      await writeProgram(join(application, 'redis'), 'module', redisProgram(redis.url, 'other-ioredis'));
      await writeProgram(join(application, 'health'), 'module', HEALTH_PROGRAM);
      compiled = await compilePrograms(application, ['redis', 'health']);
    }, 10 * MINUTE);

    afterAll(async () => {
      await redis.stop();
      await rm(temporary, { recursive: true, force: true });
    });

    it('compiles with the types of all packages checked', () => {
      expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' });
    });

    it('shares sessions through its own options, its own client and a client of the other copy', async () => {
      const stdout = expect.stringMatching(/^alice\nalice\nalice\n$/);
      expect(await runCompiled(join(application, 'redis'))).toEqual({ code: 0, stdout, stderr: '' });
    });

    it('receives the health of a storage that serves everything, that is full, and that is closed', async () => {
      const { code, stdout, stderr } = await runCompiled(join(application, 'health'));
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.trim().split('\n')).toEqual([
        'ok up ',
        `${full === 'up' ? 'ok' : full} ${full} sessions cannot be created or changed`,
        expect.stringMatching(/^error down ./),
      ]);
    });
  },
);

describe('An application with ioredis 4', () => {
  let temporary: string;

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'packed-library-'));
    const { tarball } = await packLibrary(temporary);
    // npm refuses it too, unless it is told to ignore the ranges of peers.
    await installApplication(temporary, 12, ['--force', tarball, 'class-validator@0.15', 'ioredis@4']);
    await writeFile(join(temporary, 'main.mjs'), "await import('nestjs-distributed-session/redis');");
  }, 10 * MINUTE);

  afterAll(() => rm(temporary, { recursive: true, force: true }));

  it('does not start, and the error names the versions to install', async () => {
    const starting = outputOf(process.execPath, ['main.mjs'], temporary);
    await expect(starting).rejects.toThrow(
      /does not support the installed version of ioredis: install 5\.4\.1 or later, or 6/,
    );
  });
});
