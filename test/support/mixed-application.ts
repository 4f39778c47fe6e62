import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installApplication } from './sample-app.js';

/** A CommonJS package that builds on the library, as a company publishes one for its services. */
const ACME_LOGINS = {
  'package.json': JSON.stringify({ name: 'acme-logins', version: '1.0.0', main: 'index.js', types: 'index.d.ts' }),
  'index.js': `
const { Injectable } = require('@nestjs/common');
const { DistributedSessionManager, SessionEndedError } = require('nestjs-distributed-session');
const { FakeClock } = require('nestjs-distributed-session/testing');
class Logins {
  constructor(sessions) { this.sessions = sessions; }
  isEnded(error) { return error instanceof SessionEndedError; }
}
Injectable()(Logins);
Reflect.defineMetadata('design:paramtypes', [DistributedSessionManager], Logins);
module.exports = { Logins, FakeClock };
`,
  'index.d.ts': `
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
export declare class Logins {
  constructor(sessions: DistributedSessionManager);
  readonly sessions: DistributedSessionManager;
  isEnded(error: unknown): boolean;
}
export { FakeClock };
`,
};

/**
 * Uses the library together with `acme-logins`: their types must be the same, as must their classes. Prints `one copy` if
 * they are.
 */
const MIXED_PROGRAM = `
import { Logins, FakeClock as AcmeClock } from 'acme-logins';
import { NestFactory } from '@nestjs/core';
import { DistributedSessionManager, DistributedSessionModule, InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';

export async function main(): Promise<string> {
  const clock: FakeClock = new AcmeClock();
  const sessions = DistributedSessionModule.forRoot({ serviceId: 'main', storage: new InMemorySessionStorage({ clock }) });
  class AppModule {}
  const module = { module: AppModule, imports: [sessions], providers: [Logins] };
  const app = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
  const logins = app.get(Logins);
  const manager: DistributedSessionManager = logins.sessions;
  const { sessionId } = await manager.createSession('alice');
  await manager.kickOut(sessionId);
  const error = await manager.getSession(sessionId).catch((thrown: unknown) => thrown);
  const same = [logins.isEnded(error), app.get(DistributedSessionManager) === manager, clock instanceof FakeClock];
  await app.close();
  return same.every(Boolean) ? 'one copy' : JSON.stringify(same);
}
`;

/** Imports and requires every entry point, and prints \`one copy\` if all exports are the same. */
const compareEntries = (names: readonly string[]) => `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const differences = [];
for (const name of ${JSON.stringify(names)}) {
  const [imported, required] = [await import(name), require(name)];
  if (Object.keys(required).length === 0) differences.push(name);
  for (const key of Object.keys(required)) if (imported[key] !== required[key]) differences.push(name + ' ' + key);
}
console.log(differences.length === 0 ? 'one copy' : differences.join());
`;

/** Prints the names of all exports, and those of classes and functions themselves, which errors and Nest show. */
const listNames = (names: readonly string[]) => `
for (const name of ${JSON.stringify(names)}) {
  // Node adds these to what CommonJS exports.
  const { default: _, 'module.exports': __, ...exported } = await import(name);
  for (const [key, value] of Object.entries(exported)) console.log(name, key, typeof value, value.name);
}
`;

/** A program that is an ES module, and the same one in CommonJS. */
export const MIXED_PROGRAMS = ['esm.mts', 'cjs.cts'] as const;

/**
 * Creates an application on a major version of Nest that uses the library in both formats, and through a CommonJS
 * package.
 *
 * @param entries - The names of the library's entry points.
 */
export async function createMixedApplication(
  folder: string,
  nest: number,
  packages: readonly string[],
  entries: readonly string[],
): Promise<void> {
  await installApplication(folder, nest, packages);
  const dependency = join(folder, 'node_modules/acme-logins');
  await mkdir(dependency);
  for (const [name, text] of Object.entries(ACME_LOGINS)) await writeFile(join(dependency, name), text);
  for (const name of MIXED_PROGRAMS) {
    await writeFile(join(folder, name), `${MIXED_PROGRAM}\nvoid main().then(console.log);\n`);
  }
  await writeFile(join(folder, 'compare-entries.mjs'), compareEntries(entries));
  await writeFile(join(folder, 'list-names.mjs'), listNames(entries));
}
