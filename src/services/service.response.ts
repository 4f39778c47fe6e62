import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** What is known of a secret without knowing it. */
class ServiceSecretResponse {
  @ApiProperty({ description: 'Names the secret and proves nothing.', example: '3kTMd9qYzB' })
  readonly keyId!: string;

  @ApiProperty({ type: 'integer' })
  readonly createdAt!: number;

  @ApiPropertyOptional({ type: 'integer', description: 'From then on it is refused. Absent: no end is set.' })
  readonly endsAt?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'Written at most once a minute.' })
  readonly lastUsedAt?: number;
}

/** A registered service. Times are epoch milliseconds. */
export class ServiceResponse {
  @ApiProperty({ example: 'order' })
  readonly serviceId!: string;

  @ApiProperty({ example: 'Orders' })
  readonly serviceName!: string;

  @ApiProperty({ type: [String], example: ['session.read', 'session.write:order.*'] })
  readonly permissions!: readonly string[];

  @ApiProperty({ type: 'integer' })
  readonly createdAt!: number;

  @ApiProperty({ type: [ServiceSecretResponse], description: 'The secrets that are good now: one, or two.' })
  readonly secrets!: readonly ServiceSecretResponse[];
}

/** A service with its new secret: the only time that it leaves this service. */
export class IssuedServiceResponse extends ServiceResponse {
  @ApiProperty({ example: 'dss_…' })
  readonly secret!: string;

  @ApiProperty({ description: 'Names the new secret.', example: '3kTMd9qYzB' })
  readonly keyId!: string;
}

export class ServicesResponse {
  @ApiProperty({ type: [ServiceResponse], description: 'By id.' })
  readonly services!: readonly ServiceResponse[];
}

export class RevokedResponse {
  @ApiProperty({ description: 'Whether there was such a service.' })
  readonly revoked!: boolean;
}
