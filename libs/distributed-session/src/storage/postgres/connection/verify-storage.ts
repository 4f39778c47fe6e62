import { v7 as uuidv7 } from 'uuid';
import { AWKWARD_BYTES, AWKWARD_TEXT, differenceOf } from '../../shared/awkward-values.js';
import { verifyStorage } from '../functions/verify-storage.function.js';
import { readSessionRow } from '../records/stored-session.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { inCheckTransaction } from './check-transaction.js';
import type { PostgresClient } from './postgres-pool.js';
import { sendStatement, toParameter } from './send-statement.js';

/** Odd and of 53 bits, so that its sum with the time is exact, and only exact arithmetic keeps it. */
const IDLE_MS = 2 ** 52 + 1;

const NOT_UNDONE = 'it does not undo what a rolled-back block has written: use a server with savepoints';

/** Verifies that what a user who may write stores is read back, that versions exclude, and that steps are undone. */
export async function storageErrors(client: PostgresClient, names: SchemaNames): Promise<string[]> {
  const sessionId = uuidv7();
  const values = { sessionId, text: AWKWARD_TEXT, bytes: AWKWARD_BYTES, idleMs: IDLE_MS };
  const { text } = verifyStorage.prepare(names);
  const call = { text, values: verifyStorage.pack(values).map(toParameter) };
  const rows = await inCheckTransaction(client, async () => sendStatement(client, call));
  const { first, second, isLeft, stored } = verifyStorage.parse(rows[0] ?? []);
  if (first !== 'replaced' || second !== 'conflict') {
    const seen = `the first was ${first}, the second ${second}`;
    return [`it applies two writes that expect the same version (${seen}): use a server with transactions`];
  }
  const errors = recordErrors(() => readSessionRow(stored).session);
  return isLeft ? [NOT_UNDONE, ...errors] : errors;
}

function recordErrors(read: () => ReturnType<typeof readSessionRow>['session']): string[] {
  let session: ReturnType<typeof read>;
  try {
    session = read();
  } catch {
    return [
      'it returns numbers, bytes or names in another form than PostgreSQL: connect past the proxy that changes them',
    ];
  }
  if (session.state !== 'live') return ['it returns another session than the one that was written'];
  const errors: string[] = [];
  const bytes = differenceOf(AWKWARD_BYTES, Buffer.from(session.payload));
  if (bytes !== undefined) errors.push(`it changes bytes (${bytes})`);
  for (const text of [session.loginId, session.serviceId, session.device ?? '', session.tokenDigest ?? '']) {
    const difference = differenceOf(Buffer.from(AWKWARD_TEXT), Buffer.from(text));
    if (difference !== undefined) errors.push(`it changes texts (${difference})`);
  }
  if (session.idleTimeoutMs !== IDLE_MS) errors.push(`it changes numbers (${IDLE_MS} became ${session.idleTimeoutMs})`);
  else if (session.expiresAt !== session.createdAt + IDLE_MS) {
    errors.push(`it adds numbers inexactly (${session.createdAt} + ${IDLE_MS} became ${session.expiresAt})`);
  }
  return [...new Set(errors)].map((error) => `${error}: connect past the proxy that changes values, or use PostgreSQL`);
}

/** Verifies for a user who only reads that values pass unchanged. */
export async function valueErrors(client: PostgresClient): Promise<string[]> {
  const text = `SELECT pg_catalog.length($1::pg_catalog.bytea), pg_catalog.encode($1::pg_catalog.bytea, 'hex'), $2::pg_catalog.text,
    $3::pg_catalog.int8`;
  const [row = []] = await sendStatement(client, { text, values: [AWKWARD_BYTES, AWKWARD_TEXT, String(IDLE_MS)] });
  const seen = [row[0], row[1], row[2], row[3]].map((cell) => cell ?? '');
  const expected = [String(AWKWARD_BYTES.length), AWKWARD_BYTES.toString('hex'), AWKWARD_TEXT, String(IDLE_MS)];
  const at = expected.findIndex((value, index) => value !== seen[index]);
  if (at === -1) return [];
  const what = ['bytes', 'bytes', 'texts', 'numbers'][at]!;
  return [`it changes ${what} on their way to the server and back: connect past the proxy that changes values`];
}
