import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';
import { IfGiven } from '../http/dto-rules.js';
import { EndSessionQuery } from '../sessions/end-session.query.js';

/** Checked here, because the library would name its own option in the refusal. */
const SESSION_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Which sessions of a login end, and what the history says of it. */
export class EndAllSessionsQuery extends EndSessionQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'The one session that stays, such as the one that asks.' })
  @IfGiven()
  @Matches(SESSION_ID, { message: '$property must be a session id: a lower-case UUID of 36 characters' })
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
