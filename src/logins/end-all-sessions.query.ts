import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { IfGiven } from '../http/dto-rules.js';
import { EndSessionQuery } from '../sessions/end-session.query.js';
import { IsSessionId, SESSION_ID_SCHEMA } from '../sessions/session-id.parameter.js';

/** Which sessions of a login end, and what the history says of it. */
export class EndAllSessionsQuery extends EndSessionQuery {
  @ApiPropertyOptional({ ...SESSION_ID_SCHEMA, description: 'The one session that stays, such as the one that asks.' })
  @IfGiven()
  @IsSessionId()
  readonly except?: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: 64,
    description: 'Only the sessions with this device label, such as web.',
  })
  @IfGiven()
  @IsString()
  readonly device?: string;
}
