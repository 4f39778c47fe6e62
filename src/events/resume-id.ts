import { Matches } from 'class-validator';
import { RequestError } from '../http/problem.js';
import type { EventLog } from './event-log.js';

const FORM = /^([0-9a-f]{12})-(\d{1,15})$/;

/** The OpenAPI schema of an id to resume after. */
export const RESUME_ID = { type: 'string', pattern: FORM.source } as const;

/** Validates such an id in a query. */
export function IsResumeId(): PropertyDecorator {
  return Matches(FORM, { message: '$property must be an event id as it was received' });
}

/** Formats a position in this process's log as the `id` of a server-sent event. */
export function resumeId({ epoch }: EventLog, position: number): string {
  return `${epoch}-${position}`;
}

/**
 * Returns the position that a client resumes after: the newest position if there is no id, or `undefined` if the log
 * does not hold all events after the id, so that the client receives `feed.gap`.
 */
export function resumePosition(log: EventLog, id: string | undefined): number | undefined {
  if (id === undefined) return log.end;
  const [, epoch, position] = FORM.exec(id) ?? [];
  if (position === undefined) {
    throw RequestError.of('ERR_REQUEST_HEADER', 'Last-Event-ID', 'must be an event id as it was received.');
  }
  return epoch === log.epoch && log.isHeldAfter(Number(position)) ? Number(position) : undefined;
}
