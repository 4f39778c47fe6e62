import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsObject, IsString, ValidateIf } from 'class-validator';
import {
  type AttributeInput,
  CALLER_END_REASONS,
  type CallerEndReason,
  INPUT_LIMITS,
  type IssuedSession,
  MAX_DURATION_MS,
  type Session,
  TOKEN_PATTERN,
} from 'nestjs-distributed-session';
import { BooleanInQuery, IfGiven, RawJson } from '../http/dto-rules.js';
import { timeSchema } from '../openapi/time.schema.js';
import { SESSION_ID_LENGTH } from './session-id.js';

const ATTRIBUTES = { type: 'object', additionalProperties: true } as const;
const IP = { description: 'The IP address of the client.', example: '203.0.113.7' };
const CUT = 'Characters beyond the limit are cut off; an empty text is absent.';
const USER_AGENT = { description: 'The `User-Agent` of the client.', example: 'Firefox' };
const CLIENT = { description: "The client at login, for the user's list of devices." };

/** The client at login. The library validates the fields. */
@ApiSchema(CLIENT)
class SessionClientBody {
  @ApiPropertyOptional({ ...IP, description: `${IP.description} ${CUT} The limit: ${INPUT_LIMITS.maxClientIpLength}.` })
  readonly ip?: string;

  @ApiPropertyOptional({
    ...USER_AGENT,
    description: `${USER_AGENT.description} ${CUT} The limit: ${INPUT_LIMITS.maxUserAgentLength}.`,
  })
  readonly userAgent?: string;
}

const TIMEOUT = { type: 'integer', nullable: true, minimum: 1, maximum: MAX_DURATION_MS } as const;

/** The session to create at a login. */
export class CreateSessionBody {
  @ApiProperty({
    minLength: 1,
    maxLength: INPUT_LIMITS.maxLoginIdLength,
    description: 'The user of the session. Any characters are allowed.',
    example: 'user123',
  })
  @IsString()
  readonly loginId!: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: INPUT_LIMITS.maxTokenLength,
    pattern: TOKEN_PATTERN.source,
    description:
      'Optional token of at least 22 characters, such as Base64. If omitted, a random 256-bit token is generated.',
    example: 'kq3v9T0wzD5Y-sample_token',
  })
  @IfGiven()
  @IsString()
  readonly token?: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: INPUT_LIMITS.maxDeviceLength,
    description: 'A label for the device. The limit per device counts sessions by this label.',
    example: 'web',
  })
  @IfGiven()
  @IsString()
  readonly device?: string;

  @ApiPropertyOptional({ ...ATTRIBUTES, description: 'The initial attributes, by key.', example: { role: 'customer' } })
  @IfGiven()
  @RawJson()
  @IsObject()
  readonly attributes?: AttributeInput;

  @ApiPropertyOptional({ type: SessionClientBody })
  @IfGiven()
  @RawJson()
  @IsObject()
  readonly client?: SessionClientBody;

  @ApiPropertyOptional({
    ...TIMEOUT,
    description: 'Overrides the configured idle timeout, in milliseconds; `null` disables it.',
    example: 900_000,
  })
  @IfGiven()
  @ValidateIf((_body, value) => value !== null)
  @IsInt()
  readonly idleTimeoutMs?: number | null;

  @ApiPropertyOptional({
    ...TIMEOUT,
    description: 'Overrides the configured absolute timeout, in milliseconds; `null` disables it.',
    example: 43_200_000,
  })
  @IfGiven()
  @ValidateIf((_body, value) => value !== null)
  @IsInt()
  readonly absoluteTimeoutMs?: number | null;
}

const TOUCH = { default: true, description: 'Whether this call counts as an access and keeps the session alive.' };

/** The OpenAPI description of a session's credential. */
export const CREDENTIAL = {
  maxLength: SESSION_ID_LENGTH + 1 + INPUT_LIMITS.maxTokenLength,
  description: '`<sessionId>.<token>`',
  example: '01995f3e-7a1b-4c1d-8e2f-3a4b5c6d7e8f.sgJ2…',
};

/** The credential that a client presented. It is sent in the body because URLs are logged. */
export class VerifySessionBody {
  @ApiProperty(CREDENTIAL)
  @IsString()
  readonly credential!: string;

  @ApiPropertyOptional(TOUCH)
  @IfGiven()
  @IsBoolean()
  readonly touch?: boolean;
}

/** Options of a read. */
export class ReadSessionQuery {
  @ApiPropertyOptional(TOUCH)
  @IfGiven()
  @BooleanInQuery()
  @IsBoolean()
  readonly touch?: boolean;
}

/** The new attributes of a session. Attributes that the caller may not read are kept. */
export class ReplaceSessionBody {
  @ApiProperty({ ...ATTRIBUTES, description: 'All new attributes, by key.', example: { role: 'admin' } })
  @RawJson()
  @IsObject()
  readonly attributes!: AttributeInput;
}

/** The reason and actor recorded in the history. */
export class EndSessionQuery {
  @ApiPropertyOptional({ enum: CALLER_END_REASONS, default: 'logged-out', description: 'The recorded reason.' })
  @IfGiven()
  @IsIn(CALLER_END_REASONS)
  readonly reason?: CallerEndReason;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: INPUT_LIMITS.maxActorLength,
    description: 'The person or job on whose behalf the session ends, such as admin@example.com.',
  })
  @IfGiven()
  @IsString()
  readonly actor?: string;
}

@ApiSchema(CLIENT)
class SessionClientResponse {
  @ApiPropertyOptional(IP)
  readonly ip?: string;

  @ApiPropertyOptional(USER_AGENT)
  readonly userAgent?: string;
}

/** A session, with the attributes that the calling service may read. Times are epoch milliseconds. */
export class SessionResponse {
  @ApiProperty({ format: 'uuid', description: 'Identifies the session. It is not a credential.' })
  readonly sessionId!: string;

  @ApiProperty({ description: 'The user of the session.', example: 'user123' })
  readonly loginId!: string;

  @ApiProperty({ description: 'The service that created the session.', example: 'user' })
  readonly serviceId!: string;

  @ApiPropertyOptional({ description: 'The device label given at login.', example: 'web' })
  readonly device?: string;

  @ApiPropertyOptional({ type: SessionClientResponse })
  readonly client?: SessionClientResponse;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Increases with each write. The `ETag` is this in quotes.' })
  readonly version!: number;

  @ApiProperty(timeSchema('When the user logged in.'))
  readonly createdAt!: number;

  @ApiProperty(timeSchema('When the last access was recorded.'))
  readonly lastAccessedAt!: number;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Idle timeout in milliseconds. Absent if the session has none.',
  })
  readonly idleTimeoutMs?: number;

  @ApiProperty({ ...timeSchema('When the session expires if it is not used.'), example: 1_893_459_600_000 })
  readonly expiresAt!: number;

  @ApiPropertyOptional(timeSchema('When the session expires even if it is used; absent without an absolute timeout.'))
  readonly absoluteExpiresAt?: number;

  @ApiProperty({
    ...ATTRIBUTES,
    description: 'The attributes that the calling service may read.',
    example: { role: 'customer' },
  })
  readonly attributes!: Readonly<Record<string, unknown>>;
}

/** A session with its secrets, which are returned only once. */
export class IssuedSessionResponse extends SessionResponse {
  @ApiProperty({ description: 'The secret part of the credential.', example: 'sgJ2…' })
  readonly token!: string;

  @ApiProperty({ description: '`<sessionId>.<token>`: the client sends it as a cookie or a bearer token.' })
  readonly credential!: string;
}

/** The result of ending a session or a secret. Ending it again is not an error. */
export class EndedResponse {
  @ApiProperty({ description: 'Whether this request ended the session or the secret.', example: true })
  readonly ended!: boolean;
}

export type IssuedSessionView = Session & Pick<IssuedSession, 'token' | 'credential'>;

/** Copies the secrets into properties for JSON. The manager's result hides them from logs. */
export function showIssuedSession(session: IssuedSession): IssuedSessionView {
  const { token, credential } = session;
  return { ...session, token, credential };
}
