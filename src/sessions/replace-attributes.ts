import { HttpStatus } from '@nestjs/common';
import {
  type AttributeInput,
  type DistributedSessionManager,
  type Session,
  SessionConflictError,
  toHttpException,
} from 'nestjs-distributed-session';

/** Writes over exactly this version. A newer one is the failed precondition of `If-Match`: 412. */
export async function replaceAttributes(
  sessions: DistributedSessionManager,
  sessionId: string,
  version: number,
  attributes: AttributeInput,
): Promise<Session> {
  const current = await sessions.getSession(sessionId, { touch: false });
  try {
    return await sessions.updateSession({ ...current, version, attributes });
  } catch (error) {
    throw error instanceof SessionConflictError ? toHttpException(error, HttpStatus.PRECONDITION_FAILED) : error;
  }
}
