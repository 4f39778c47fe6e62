import { Logger } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { OptionsError } from '../../../errors/options.error.js';
import { StorageUnavailableError } from '../../../errors/storage.errors.js';
import { refusalOf } from './redis-failure.js';

/** Refusals that waiting does not mend. */
const FATAL: Readonly<Record<string, string>> = {
  NOAUTH: 'Redis asks for a password: give one in the url, or as `password` in the options',
  WRONGPASS: 'Redis refuses the user or the password of the options: check both, and that the user is on',
};

/**
 * Opens a client and waits until it can be used: servers may be starting, or loading their data. Rejects with
 * {@link OptionsError} where it is refused, and with {@link StorageUnavailableError} when the time is up.
 */
export async function openClient(client: Redis | Cluster, deadlineMs: number): Promise<void> {
  if (client.status === 'ready') return;
  let last: unknown;
  const { promise, resolve, reject } = deferred();
  const onReady = () => resolve();
  const onError = (error: unknown) => {
    last = lastNodeError(error);
    const fatal = FATAL[refusalOf(last) ?? ''];
    if (fatal) reject(new OptionsError('Redis cannot be used with these options:', [fatal]));
  };
  const timer = setTimeout(() => {
    reject(
      new StorageUnavailableError(`Redis cannot be reached${reasonOf(last)}. Check that it runs, and the address.`),
    );
  }, deadlineMs);
  client.on('ready', onReady);
  client.on('error', onError);
  client.on('node error', onError);
  try {
    if (client.status === 'wait') client.connect().catch(onError);
    await promise;
  } finally {
    clearTimeout(timer);
    client.off('ready', onReady);
    client.off('error', onError);
    client.off('node error', onError);
  }
}

/** Tells the log once when a connection is lost and once when it is back, until the function it returns is called. */
export function reportConnection(client: Redis | Cluster, logger: Logger): () => void {
  let isLost = false;
  const onError = (error: unknown) => {
    if (isLost) return;
    isLost = true;
    logger.warn(`The connection to Redis is lost${reasonOf(lastNodeError(error))}. Trying again.`);
  };
  const onReady = () => {
    if (isLost) logger.log('The connection to Redis is back.');
    isLost = false;
  };
  client.on('error', onError);
  client.on('ready', onReady);
  return () => {
    client.off('ready', onReady);
    client.off('error', onError);
  };
}

/** A cluster reports that all nodes failed, and keeps what the last of them said. */
function lastNodeError(error: unknown): unknown {
  const { lastNodeError: last } = (error ?? {}) as { lastNodeError?: unknown };
  return last ?? error;
}

/** The code of a failed connection, or the word that Redis answered: nothing that could hold an argument. */
function reasonOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  const reason = refusalOf(error) ?? (typeof code === 'string' ? code : undefined);
  return reason ? ` (${reason})` : '';
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((whenDone, whenFailed) => {
    resolve = whenDone;
    reject = whenFailed;
  });
  return { promise, resolve, reject };
}
