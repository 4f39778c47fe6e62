import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayNotEmpty, IsIn, IsString } from 'class-validator';
import { SESSION_EVENT_TYPES, type SessionEvent, type SessionEventType } from 'nestjs-distributed-session';
import { IfGiven } from '../http/dto-rules.js';
import { IsSessionId, SESSION_ID_SCHEMA } from '../sessions/session-id.js';
import { IsResumeId, RESUME_ID } from './resume-id.js';

const TYPES = SESSION_EVENT_TYPES.join('|').replaceAll('.', '\\.');

/** The filter of a stream. An absent field does not filter. */
export class EventsQuery {
  @ApiPropertyOptional({
    type: String,
    pattern: `^(?:${TYPES})(?:,(?:${TYPES}))*$`,
    description: `Comma-separated event types: ${SESSION_EVENT_TYPES.join(', ')}.`,
  })
  @IfGiven()
  @Transform(({ value }) => (typeof value === 'string' ? value.split(',') : (value as unknown)))
  @ArrayNotEmpty()
  @IsIn(SESSION_EVENT_TYPES, {
    each: true,
    message: `$property must be a comma-separated list of ${SESSION_EVENT_TYPES.join(', ')}`,
  })
  readonly type?: readonly SessionEventType[];

  @ApiPropertyOptional({ description: "The id of the sessions' user." })
  @IfGiven()
  @IsString()
  readonly loginId?: string;

  @ApiPropertyOptional({
    ...SESSION_ID_SCHEMA,
    description: 'The session. The rotation to this session is included.',
  })
  @IfGiven()
  @IsSessionId()
  readonly sessionId?: string;

  @ApiPropertyOptional({ description: 'The service that created the sessions, or that was changed.' })
  @IfGiven()
  @IsString()
  readonly serviceId?: string;

  @ApiPropertyOptional({
    ...RESUME_ID,
    description: 'The last `id` received, for clients that cannot send `Last-Event-ID`.',
  })
  @IfGiven()
  @IsResumeId()
  readonly lastEventId?: string;
}

/** Decides which events a stream delivers. `feed.gap` concerns every stream. */
export type EventFilter = (event: SessionEvent) => boolean;

/** Returns the filter of a query. Only a caller that may read services receives their changes. */
export function eventFilter({ type, loginId, sessionId, serviceId }: EventsQuery, seesServices: boolean): EventFilter {
  return (event) => {
    if (event.type === 'feed.gap') return true;
    if (type !== undefined && !type.includes(event.type)) return false;
    if (serviceId !== undefined && event.serviceId !== serviceId) return false;
    if (event.type === 'service.changed') return seesServices && loginId === undefined && sessionId === undefined;
    if (loginId !== undefined && event.loginId !== loginId) return false;
    if (sessionId === undefined || event.sessionId === sessionId) return true;
    return event.type === 'session.rotated' && event.rotatedTo === sessionId;
  };
}
