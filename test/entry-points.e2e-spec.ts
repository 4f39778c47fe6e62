import { basename } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as root from 'nestjs-distributed-session';
import * as postgres from 'nestjs-distributed-session/postgres';
import * as redis from 'nestjs-distributed-session/redis';
import * as storage from 'nestjs-distributed-session/storage';
import * as terminus from 'nestjs-distributed-session/terminus';
import * as testing from 'nestjs-distributed-session/testing';
import { entries, entryFile, importGraph } from './support/import-graph.js';

const OPTIONAL_PEERS = [
  'ioredis',
  'pg',
  '@nestjs/microservices',
  '@nestjs/terminus',
  '@nestjs/websockets',
  'fast-check',
];
const TEST_RUNNERS = ['@jest/globals', 'jest', 'vitest', 'node:test', 'mocha', '@nestjs/testing'];
const MODULES: Record<string, object> = {
  '.': root,
  './postgres': postgres,
  './redis': redis,
  './storage': storage,
  './terminus': terminus,
  './testing': testing,
};

/** The optional peers that an entry point may import. */
const OWN_PEERS: Record<string, string[]> = {
  './postgres': ['pg'],
  './redis': ['ioredis'],
  './terminus': ['@nestjs/terminus'],
  './testing': ['fast-check'],
};

describe('the entry points of the package', () => {
  test('are the modules that this file imports', () => {
    expect(entries().toSorted()).toEqual(Object.keys(MODULES).toSorted());
  });

  test.each(entries())('%s does not import a test runner or the optional peer of another entry point', (entry) => {
    const { packages } = importGraph(entryFile(entry));
    const own = OWN_PEERS[entry] ?? [];
    const foreign = [...OPTIONAL_PEERS, ...TEST_RUNNERS].filter((name) => !own.includes(name));
    expect(foreign.filter((name) => packages.has(name))).toEqual([]);
  });

  test('are followed through the whole library', () => {
    const { files, packages } = importGraph(entryFile('.'));
    const names = [...files].map((file) => basename(file));
    expect(names).toEqual(
      expect.arrayContaining([
        'in-memory-session-storage.ts',
        'session.guard.ts',
        'storage-change.ts',
        'permission.ts',
      ]),
    );
    expect([...packages]).toEqual(expect.arrayContaining(['@nestjs/common', '@nestjs/core', 'rxjs', 'uuid']));
    expect([...importGraph(entryFile('./terminus')).packages]).toContain('@nestjs/terminus');
  });

  test.each(Object.entries(MODULES))('%s does not export undefined', (_entry, module) => {
    const exported = Object.entries(module);
    expect(exported.length).toBeGreaterThan(0);
    expect(exported.filter(([, value]) => value === undefined || value === null)).toEqual([]);
  });
});
