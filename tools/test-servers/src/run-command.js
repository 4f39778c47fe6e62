import { spawn } from 'node:child_process';

/**
 * Runs a command in the root of the repository, or in another folder, and resolves when it has ended, whatever its exit code.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ visible?: boolean, env?: NodeJS.ProcessEnv, cwd?: string }} [options] `visible` shows the output while it runs; otherwise it
 *   is only collected.
 * @returns {Promise<{ passed: boolean, output: string }>}
 */
export function runCommand(command, args, { visible = false, env = process.env, cwd } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd, stdio: visible ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ passed: false, output: error.message }));
    child.on('close', (code) => resolve({ passed: code === 0, output: Buffer.concat(chunks).toString('utf8') }));
  });
}
