import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { expect } from '@jest/globals';
import { DistributedSessionModule, InMemorySessionStorage, OptionsError } from 'nestjs-distributed-session';
import type { MakeAdapter } from './adapters.js';
import { makeApp } from './running-app.js';

/** A controller that keeps an application from starting, with the faults that the error reports. */
export type FaultyCase = [what: string, controller: Type, faults: [route: string, fault: RegExp][]];

/** Creates an application with a global `DistributedSessionModule`, without initialising it. */
export async function makeShop(metadata: ModuleMetadata, makeAdapter: MakeAdapter): Promise<INestApplication> {
  const sessions = DistributedSessionModule.forRoot({
    serviceId: 'shop',
    storage: new InMemorySessionStorage(),
    isGlobal: true,
  });
  return makeApp({ ...metadata, imports: [sessions, ...(metadata.imports ?? [])] }, makeAdapter);
}

/** Starts the application, and returns the lines of its error. */
export async function faultsOf(app: INestApplication): Promise<readonly string[]> {
  const error: unknown = await app.init().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OptionsError);
  return (error as OptionsError).errors;
}

/** Matches the lines of an error with these faults, in this order. */
export function linesOf(faults: FaultyCase[2]): readonly unknown[] {
  return faults.map(([route, fault]) =>
    expect.stringMatching(new RegExp(String.raw`^${route.replace('.', String.raw`\.`)}: .*${fault.source}`)),
  );
}
