import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { StorageSource } from './distributed-session.module-options.js';
import { SessionStorage } from './storage/session-storage.js';

/** Creates the storage. An invalid source is returned as it is: the validation of the options reports it. */
export async function createStorage(source: StorageSource, moduleRef: ModuleRef): Promise<SessionStorage> {
  if (typeof source !== 'function') return source;
  if (isStorageClass(source)) return moduleRef.create(source);
  return isClass(source) ? source : source();
}

function isStorageClass(source: object): source is Type<SessionStorage> {
  return 'prototype' in source && source.prototype instanceof SessionStorage;
}

/** Returns whether a source is a class but not a storage class. It cannot be called, so the validation reports it. */
function isClass(source: () => unknown): source is typeof source & SessionStorage {
  return Function.prototype.toString.call(source).startsWith('class');
}
