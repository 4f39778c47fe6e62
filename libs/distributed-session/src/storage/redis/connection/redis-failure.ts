import { DistributedSessionError } from '../../../errors/distributed-session.error.js';
import {
  StorageCorruptError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from '../../../errors/storage.errors.js';

/** What Redis answers instead of doing what it was asked to, by the first word of the answer. */
const REFUSALS: Readonly<Record<string, string>> = {
  READONLY: 'is a replica, which takes no writes. A failover is under way, or the address is that of a replica.',
  LOADING: 'is loading its data and will answer when it has. Try again shortly.',
  MASTERDOWN: 'has lost its master and does not serve old data. Try again when the failover is over.',
  CLUSTERDOWN: 'is part of a cluster that does not work. Try again when the failover is over, or see CLUSTER INFO.',
  TRYAGAIN: 'is handing over the keys of this user to another node. Try again shortly.',
  OOM: 'has reached its maxmemory. Reading and ending sessions still work; raise maxmemory to create more.',
  NOREPLICAS: 'has fewer replicas than min-replicas-to-write asks for. Bring the replicas back.',
  MISCONF: 'cannot save its data to disk and takes no writes. See the log of the server.',
  BUSY: 'is busy with a script of somebody else. Find it with SLOWLOG, and end it with SCRIPT KILL.',
  NOAUTH: 'asks for a password. Give one in the options of RedisSessionStorage.',
  WRONGPASS: 'refuses the user or the password in the options of RedisSessionStorage.',
  NOPERM: 'does not allow its user this command, key or channel. docs/redis.md lists what is needed.',
  EXECABORT: 'has dropped the command. Try again.',
};

/** Answers of a server that can be read, and takes no writes now. */
const WRITE_REFUSALS: readonly string[] = ['READONLY', 'OOM', 'NOREPLICAS', 'MISCONF', 'NOPERM'];

/** What the answer of a script has in it that failed at one of its lines: it met what it does not expect. */
const FAILED_SCRIPT = / script: [0-9a-f]{40}\b/;

/** What it has in it if its user lacks the right to one of its commands, keys or channels. */
const FORBIDDEN = /^ERR The user executing the script can't /;

/** The server answers, and takes no writes: reading still works. */
export class WriteRefusedError extends StorageUnavailableError {
  /** @param isTemporary whether it refuses everybody's writes, and not those of this user alone. */
  constructor(
    message: string,
    readonly isTemporary: boolean,
  ) {
    super(message);
  }
}

/** The refusal of a write by a user who may only read. */
export function forbidden(): WriteRefusedError {
  return new WriteRefusedError(`Redis ${REFUSALS['NOPERM']}`, false);
}

/** The first word of what Redis answered, or `undefined` when an error is not an answer of Redis. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  return /^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR';
}

/** A command that failed, as far as it matters for what its caller is told. */
export interface FailedCommand {
  /** Whether the server may have seen it. */
  readonly wasSent: boolean;
  /** Whether it changes nothing, so that it does not matter whether it was applied. */
  readonly isReadOnly: boolean;
}

/**
 * The error of this library for a failure of the client or the server. It carries nothing of the failure but its kind:
 * what ioredis and Redis put into their errors can hold the arguments of the command (CWE-532).
 */
export function toStorageError(error: unknown, { wasSent, isReadOnly }: FailedCommand): DistributedSessionError {
  if (error instanceof DistributedSessionError) return error;
  const refusal = refusalOf(error);
  // A script that failed at some line may have written before: it must not be told as not applied.
  if (refusal === 'ERR' && FORBIDDEN.test((error as Error).message)) {
    const message = `Redis ${REFUSALS['NOPERM']}`;
    return isReadOnly ? new StorageUnavailableError(message) : new StorageOutcomeUnknownError(message);
  }
  if (refusal === 'WRONGTYPE' || (refusal === 'ERR' && FAILED_SCRIPT.test((error as Error).message))) {
    return new StorageCorruptError(
      'A key of the session storage holds what this library did not write: another program uses the same keys. ' +
        'Give one of the two another keyPrefix, or another database.',
    );
  }
  if (refusal) {
    const message = `Redis ${REFUSALS[refusal] ?? `has refused a command (${refusal}).`}`;
    if (WRITE_REFUSALS.includes(refusal)) return new WriteRefusedError(message, refusal !== 'NOPERM');
    return new StorageUnavailableError(message);
  }
  if (wasSent && !isReadOnly) return new StorageOutcomeUnknownError();
  return new StorageUnavailableError(
    wasSent
      ? 'Redis did not answer in time, or the connection was lost. Try again shortly.'
      : 'Redis cannot be reached. Try again shortly.',
  );
}
