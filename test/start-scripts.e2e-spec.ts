import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ROOT } from './support/packed-library.js';

describe('npm run start:prod', () => {
  let npm: ChildProcess;

  afterEach(() => {
    try {
      process.kill(-npm.pid!, 'SIGKILL');
    } catch {
      // Everything has ended.
    }
  });

  test('closes the server and exits when npm receives SIGTERM, without a warning', async () => {
    const env = { PATH: process.env['PATH'], PORT: '0' };
    npm = spawn('npm', ['run', 'start:prod'], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    npm.stdout!.on('data', (text: Buffer) => (output += text.toString('utf8')));
    npm.stderr!.on('data', (text: Buffer) => (errors += text.toString('utf8')));
    while (!output.includes('http://127.0.0.1:')) await once(npm.stdout!, 'data');
    const closed = once(npm, 'close');
    npm.kill('SIGTERM');
    await closed;
    expect(errors).toBe('');
    // The server was in npm's process group.
    expect(() => process.kill(-npm.pid!, 0)).toThrow('ESRCH');
  });
});
