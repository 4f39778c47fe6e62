import { Logger } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { OptionsError } from '../../../errors/options.error.js';
import { unreachable } from '../../shared/storage-failure.js';
import { SUPPORTED_IOREDIS, hasSocketTimeout } from './ioredis.js';
import { rejectionOf } from './redis-failure.js';

/** Replies after which it is useless to wait for the server. */
const FATAL: Readonly<Record<string, string>> = {
  NOAUTH: 'a password is required: add one to the url, or as `password` to the options',
  WRONGPASS: 'the username or password is wrong, or the user is disabled',
};

/**
 * Connects a client and waits until it is ready: servers may be starting, or loading their data.
 *
 * @throws {OptionsError} when the server rejects the credentials, or the client cannot be used.
 * @throws {StorageUnavailableError} when the client is not ready within the deadline.
 */
export async function openClient(client: Redis | Cluster, deadlineMs: number): Promise<void> {
  if (client.status !== 'ready') await untilReady(client, deadlineMs);
  const nodes = client.isCluster ? (client as Cluster).nodes() : [client as Redis];
  const problems = [...new Set(nodes.flatMap(clientProblems))];
  if (problems.length > 0) throw new OptionsError('The client passed to RedisSessionStorage cannot be used:', problems);
}

function clientProblems(node: Redis): string[] {
  return [
    ...(hasSocketTimeout(node) ? [] : [`it is of an older version of ioredis: use ${SUPPORTED_IOREDIS}`]),
    ...(node.mode === 'normal'
      ? []
      : [`it runs in ${node.mode} mode: pass a client without subscriptions and monitors`]),
  ];
}

async function untilReady(client: Redis | Cluster, deadlineMs: number): Promise<void> {
  let last: unknown;
  const { promise, resolve, reject } = deferred();
  const onReady = () => resolve();
  const onError = (error: unknown) => {
    last = lastNodeError(error);
    const fatal = FATAL[rejectionOf(last) ?? ''];
    if (fatal) reject(new OptionsError('Redis rejected the connection:', [fatal]));
  };
  const timer = setTimeout(() => {
    reject(unreachable('Redis', reasonOf(last)));
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

/** Logs each loss of the connection and each recovery once, until the returned function is called. */
export function logConnectionState(client: Redis | Cluster, logger: Logger): () => void {
  let isLost = false;
  const onError = (error: unknown) => {
    if (isLost) return;
    isLost = true;
    logger.warn(`Lost the connection to Redis${reasonOf(lastNodeError(error))}. Reconnecting.`);
  };
  const onReady = () => {
    if (isLost) logger.log('Reconnected to Redis.');
    isLost = false;
  };
  client.on('error', onError);
  client.on('ready', onReady);
  return () => {
    client.off('ready', onReady);
    client.off('error', onError);
  };
}

/** When all nodes of a cluster have failed, its error carries the last node's error. */
function lastNodeError(error: unknown): unknown {
  const { lastNodeError: last } = (error ?? {}) as { lastNodeError?: unknown };
  return last ?? error;
}

/** The code of a failed connection, or the first word of the server's error: nothing that could contain an argument. */
function reasonOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  const reason = rejectionOf(error) ?? (typeof code === 'string' ? code : undefined);
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
