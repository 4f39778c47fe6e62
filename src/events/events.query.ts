import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayNotEmpty, IsIn, IsString } from 'class-validator';
import { SESSION_EVENT_TYPES, type SessionEventType } from 'nestjs-distributed-session';
import { IfGiven } from '../http/dto-rules.js';
import { IsSessionId, SESSION_ID_SCHEMA } from '../sessions/session-id.parameter.js';
import { IsResumeId, RESUME_ID } from './resume-id.js';

const TYPES = SESSION_EVENT_TYPES.join('|').replaceAll('.', '\\.');

/** Which events to tell. What is not given does not filter. */
export class EventsQuery {
  @ApiPropertyOptional({
    type: String,
    pattern: `^(?:${TYPES})(?:,(?:${TYPES}))*$`,
    description: `Types of events, with commas between: ${SESSION_EVENT_TYPES.join(', ')}.`,
  })
  @IfGiven()
  @Transform(({ value }) => (typeof value === 'string' ? value.split(',') : (value as unknown)))
  @ArrayNotEmpty()
  @IsIn(SESSION_EVENT_TYPES, { each: true, message: `$property must name some of ${SESSION_EVENT_TYPES.join(', ')}` })
  readonly type?: readonly SessionEventType[];

  @ApiPropertyOptional({ description: 'Whose sessions.' })
  @IfGiven()
  @IsString()
  readonly loginId?: string;

  @ApiPropertyOptional({
    ...SESSION_ID_SCHEMA,
    description: 'Which session; its rotation to another id is told as well.',
  })
  @IfGiven()
  @IsSessionId()
  readonly sessionId?: string;

  @ApiPropertyOptional({ description: 'The service that created the sessions, or that was changed.' })
  @IfGiven()
  @IsString()
  readonly serviceId?: string;

  @ApiPropertyOptional({ ...RESUME_ID, description: 'The last `id` received, for who cannot send `Last-Event-ID`.' })
  @IfGiven()
  @IsResumeId()
  readonly lastEventId?: string;
}
