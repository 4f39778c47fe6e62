import { ApiExtraModels, ApiParam, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { IsArray, IsBoolean, IsInt, IsString, Length } from 'class-validator';
import {
  DEFAULT_OVERLAP_MS,
  INPUT_LIMITS,
  type IssuedServiceCredential,
  MAX_DURATION_MS,
  SERVICE_ID_PATTERN,
  type ServiceCredential,
  type UnreadableCause,
} from 'nestjs-distributed-session';
import { IfGiven, RawJson } from '../http/dto-rules.js';
import { timeSchema } from '../openapi/time.schema.js';
import { UNREADABLE_CAUSE } from '../openapi/unreadable-cause.schema.js';

const MAX_SOURCE_LENGTH = 256;

/** Describes the service id in a path. */
export const ApiServiceId = (): MethodDecorator =>
  ApiParam({
    name: 'serviceId',
    description: 'Identifies the service.',
    schema: { type: 'string', pattern: SERVICE_ID_PATTERN.source, example: 'order' },
  });

/** A service to register. */
export class RegisterServiceBody {
  @ApiProperty({
    pattern: SERVICE_ID_PATTERN.source,
    maxLength: INPUT_LIMITS.maxServiceIdLength,
    description: 'Identifies the service.',
    example: 'order',
  })
  @IsString()
  readonly serviceId!: string;

  @ApiProperty({
    minLength: 1,
    maxLength: INPUT_LIMITS.maxServiceNameLength,
    pattern: '\\S',
    description: 'A display name.',
    example: 'Orders',
  })
  @IsString()
  readonly serviceName!: string;

  @ApiProperty({
    type: [String],
    maxItems: INPUT_LIMITS.maxServicePermissions,
    description: 'The permissions of the service. The caller must hold each of them.',
    example: ['session.read', 'session.write:order.*'],
  })
  @RawJson()
  @IsArray()
  @IsString({ each: true })
  readonly permissions!: readonly string[];

  @ApiPropertyOptional({
    default: false,
    description: 'Whether to replace a registered service with this id, including its secrets.',
  })
  @IfGiven()
  @IsBoolean()
  readonly replace?: boolean;
}

/** The new secret of a service. */
export class RotateServiceSecretBody {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_DURATION_MS,
    default: DEFAULT_OVERLAP_MS,
    description: 'How long the previous secret stays valid, in milliseconds; 0 ends all previous secrets immediately.',
  })
  @IfGiven()
  @IsInt()
  readonly overlapMs?: number;
}

/** The credential that a service presented to the caller. */
export class VerifyServiceBody {
  @ApiPropertyOptional({
    description: 'Not required with a generated secret, which identifies its service.',
    example: 'order',
  })
  @IfGiven()
  @IsString()
  readonly serviceId?: string;

  @ApiProperty({ description: 'The secret that the service presented.', example: 'dss_…' })
  @IsString()
  readonly secret!: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: MAX_SOURCE_LENGTH,
    description:
      'The origin of the attempt, such as a client address. Failed attempts are throttled by origin, and for all ' +
      'origins of a caller.',
    example: '203.0.113.7',
  })
  @IfGiven()
  @Length(1, MAX_SOURCE_LENGTH)
  readonly source?: string;
}

/** Metadata about a secret, without the secret itself. */
class ServiceSecretResponse {
  @ApiProperty({ description: 'Identifies the secret. It is not a credential.', example: '3kTMd9qYzB' })
  readonly keyId!: string;

  @ApiProperty(timeSchema('When the secret was added.'))
  readonly createdAt!: number;

  @ApiPropertyOptional(timeSchema('When the secret ends; absent if no end is set.'))
  readonly endsAt?: number;

  @ApiPropertyOptional(timeSchema('When the secret was last used, recorded at most once a minute.'))
  readonly lastUsedAt?: number;
}

/** A registered service. Times are epoch milliseconds. */
export class ServiceResponse {
  @ApiProperty({ description: 'Identifies the service.', example: 'order' })
  readonly serviceId!: string;

  @ApiProperty({ description: 'The display name.', example: 'Orders' })
  readonly serviceName!: string;

  @ApiProperty({
    type: [String],
    description: 'The permissions of the service.',
    example: ['session.read', 'session.write:order.*'],
  })
  readonly permissions!: readonly string[];

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'Incremented by each replacement and each change of the secrets.',
    example: 1,
  })
  readonly version!: number;

  @ApiProperty(timeSchema('When the service was first registered.'))
  readonly createdAt!: number;

  @ApiProperty({ type: [ServiceSecretResponse], description: 'The valid secrets: one or two.' })
  readonly secrets!: readonly ServiceSecretResponse[];
}

/** An authenticated service, and the secret that authenticated it. */
export class VerifiedServiceResponse extends ServiceResponse {
  @ApiProperty({ description: 'Identifies the secret that authenticated the service.', example: '3kTMd9qYzB' })
  readonly keyId!: string;

  @ApiPropertyOptional(timeSchema('When that secret ends; absent if no end is set.'))
  readonly secretEndsAt?: number;
}

/** A service with its new secret, which is returned only once. */
export class IssuedServiceResponse extends ServiceResponse {
  @ApiProperty({ description: 'The new secret, which is returned only once.', example: 'dss_…' })
  readonly secret!: string;

  @ApiProperty({ description: 'Identifies the new secret.', example: '3kTMd9qYzB' })
  readonly keyId!: string;
}

/** A service in a list that this instance cannot read. */
export class UnreadableServiceResponse {
  @ApiProperty({ description: 'Identifies the service, for example to revoke it.', example: 'order' })
  readonly serviceId!: string;

  @ApiProperty(UNREADABLE_CAUSE)
  readonly unreadable!: UnreadableCause;
}

@ApiExtraModels(ServiceResponse, UnreadableServiceResponse)
export class ServicesResponse {
  @ApiProperty({
    type: 'array',
    items: { oneOf: [{ $ref: getSchemaPath(ServiceResponse) }, { $ref: getSchemaPath(UnreadableServiceResponse) }] },
    description:
      'The services, ordered by id. One with `unreadable` cannot be read by this instance; it can be revoked.',
  })
  readonly services!: readonly (ServiceResponse | UnreadableServiceResponse)[];
}

export class RevokedResponse {
  @ApiProperty({ description: 'Whether the service was registered.' })
  readonly revoked!: boolean;
}

export type IssuedServiceView = ServiceCredential & Pick<IssuedServiceCredential, 'secret' | 'keyId'>;

/** Copies the secret into a property for JSON. The manager's result hides it from logs. */
export function showIssuedService(service: IssuedServiceCredential): IssuedServiceView {
  return { ...service, secret: service.secret };
}
