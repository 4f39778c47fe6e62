import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { StorageSource } from '../distributed-session.module-definition.js';
import { SessionStorage } from './session-storage.js';

/** Makes the storage that the options name. What is no storage is left to the check of the options to report. */
export async function createStorage(source: StorageSource, moduleRef: ModuleRef): Promise<SessionStorage> {
  if (typeof source !== 'function') return source;
  if (isStorageClass(source)) return moduleRef.create(source);
  return isClass(source) ? source : source();
}

function isStorageClass(source: object): source is Type<SessionStorage> {
  return 'prototype' in source && source.prototype instanceof SessionStorage;
}

/** A class of something else, which cannot be called: given by mistake, and so left to the check. */
function isClass(source: () => unknown): source is typeof source & SessionStorage {
  return Function.prototype.toString.call(source).startsWith('class');
}
