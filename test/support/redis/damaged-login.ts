import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { created } from '../storage/storage-calls.js';
import { StoredRecord } from './stored-record.js';
import type { useRedisPair } from './use-redis-pair.js';

type RedisPair = ReturnType<typeof useRedisPair>;

export const PAYLOAD = 'payload';
let logins = 0;

export interface DamagedLogin {
  readonly loginId: string;
  readonly intact: readonly SessionRecord[];
  readonly damaged: SessionRecord;
  readonly record: StoredRecord;
}

/** Creates a user with three sessions, and damages the second. */
export async function damagedLogin(
  { server, pair }: RedisPair,
  damage: (value: Buffer) => Buffer,
): Promise<DamagedLogin> {
  const loginId = `login-${logins++}`;
  const [first, damaged, last] = [
    await created(pair.witness, loginId, PAYLOAD),
    await created(pair.witness, loginId, PAYLOAD),
    await created(pair.witness, loginId, PAYLOAD),
  ];
  const record = new StoredRecord(server, pair.keyPrefix, damaged.sessionId);
  await record.write(damage(await record.read()));
  return { loginId, intact: [first, last], damaged, record };
}
