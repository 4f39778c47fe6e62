import { DistributedSessionError } from '../../../errors/distributed-session.error.js';
import {
  StorageCorruptError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from '../../../errors/storage.errors.js';
import { type FailedCall, WriteRejectedError, withoutReply } from '../../shared/storage-failure.js';

/** The meaning of an error reply of Redis, by its first word. */
const REJECTIONS: Readonly<Record<string, string>> = {
  READONLY: 'is a replica, which accepts no writes. A failover is in progress, or the address is that of a replica.',
  LOADING: 'is loading its data. Try again shortly.',
  MASTERDOWN: 'has lost its master and does not serve stale data. Try again after the failover.',
  CLUSTERDOWN: 'belongs to a cluster that is down. Try again after the failover, or check CLUSTER INFO.',
  TRYAGAIN: "is migrating this user's keys to another node. Try again shortly.",
  OOM: 'has reached its maxmemory. Sessions can still be read and ended; raise maxmemory to create more.',
  NOREPLICAS: 'has fewer replicas than min-replicas-to-write requires. Restore the replicas.',
  MISCONF: 'cannot save its data to disk and accepts no writes. Check the server log.',
  BUSY: 'is busy with a script of another client. Find it with SLOWLOG and stop it with SCRIPT KILL.',
  NOAUTH: 'requires a password. Set one in the options of RedisSessionStorage.',
  WRONGPASS: 'rejected the username or password in the options of RedisSessionStorage.',
  NOPERM: 'does not allow its user this command, key or channel. docs/redis.md lists the required rights.',
  EXECABORT: 'discarded the command. Try again.',
};

/** Error replies of a server that rejects writes but serves reads. */
const WRITE_REJECTIONS: readonly string[] = ['READONLY', 'OOM', 'NOREPLICAS', 'MISCONF', 'NOPERM'];

/** Matches the reply of a script that failed at one of its lines: it found data that it does not expect. */
const FAILED_SCRIPT = / script: [0-9a-f]{40}\b/;

/** Matches the reply of a script whose user lacks the right to one of its commands, keys or channels: on Redis 7.0, and later. */
const FORBIDDEN = /^(?:ERR|NOPERM) (?:The user executing the script can't |ACL failure in script: )/;

/** Returns the first word of an error reply, or `undefined` for an error that is not a reply of Redis. */
export function rejectionOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  return /^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR';
}

/** The server rejected a command of a check at start, whose arguments are no secrets. */
export class RejectedCheckError extends Error {
  constructor(
    readonly rejection: string,
    /** What the server replied, without the arguments and the names of users. */
    readonly words: string,
  ) {
    super(words);
  }
}

/** Replies that may be different soon, and the one about a key that another program has written. */
const PASSING: readonly string[] = [
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'OOM',
  'NOREPLICAS',
  'MISCONF',
  'BUSY',
  'WRONGTYPE',
];

/** Whether the server rejected a command, and will again. */
export function isLasting(error: unknown): boolean {
  const rejection = rejectionOf(error);
  return rejection !== undefined && !PASSING.includes(rejection);
}

/** Like {@link toRedisStorageError}, for a check at start: what the server will reject again is a `RejectedCheckError`. */
export function toCheckError(error: unknown, call: FailedCall): Error {
  if (!isLasting(error)) return toRedisStorageError(error, call);
  const rejection = rejectionOf(error)!;
  const [words] = (error as Error).message.split(/, with args|,? script: |\r|\n/u);
  if (FORBIDDEN.test(words!)) return new RejectedCheckError('NOPERM', 'NOPERM');
  return new RejectedCheckError(rejection, rejection === 'ERR' ? words!.slice(0, 160) : rejection);
}

/** Why a subscription failed: a sentence with the code of the server's error, or of the failed connection. */
export function subscriptionProblem(error: unknown): string {
  const rejection = rejectionOf(error);
  const { code } = (error ?? {}) as { code?: unknown };
  const reason = rejection ?? (typeof code === 'string' && /^\w{1,40}$/u.test(code) ? code : 'no reply');
  const explanation =
    rejection === undefined ? 'cannot be reached by its connection.' : (REJECTIONS[rejection] ?? 'rejects it.');
  return `The change feed cannot subscribe (${reason}): Redis ${explanation} Changes made by other processes are not received.`;
}

/**
 * Converts a failure of the client or the server to an error of this library. It carries only the kind of the failure:
 * the errors of ioredis and Redis can contain the arguments of the command (CWE-532).
 */
export function toRedisStorageError(error: unknown, call: FailedCall): DistributedSessionError {
  if (error instanceof DistributedSessionError) return error;
  const rejection = rejectionOf(error);
  // The script may have written before it failed, so it must not be reported as not applied.
  if (rejection && FORBIDDEN.test((error as Error).message)) {
    const message = `Redis ${REJECTIONS['NOPERM']}`;
    return call.isReadOnly ? new StorageUnavailableError(message) : new StorageOutcomeUnknownError(message);
  }
  if (rejection === 'WRONGTYPE' || (rejection === 'ERR' && FAILED_SCRIPT.test((error as Error).message))) {
    return new StorageCorruptError(
      'A key of the session storage holds data that this library did not write: another program uses the same keys. ' +
        'Give one of them another keyPrefix, or another database.',
    );
  }
  if (rejection) {
    const message = `Redis ${REJECTIONS[rejection] ?? `rejected a command (${rejection}).`}`;
    if (WRITE_REJECTIONS.includes(rejection)) return new WriteRejectedError(message, rejection !== 'NOPERM');
    return new StorageUnavailableError(message);
  }
  return withoutReply(call, 'Redis');
}
