import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** The schema of the checked parts. Fields besides `status` describe a problem. */
const PARTS = {
  type: 'object' as const,
  additionalProperties: {
    type: 'object',
    properties: { status: { type: 'string', enum: ['up', 'degraded', 'down'], description: 'The state of the part.' } },
    required: ['status'],
    additionalProperties: true,
  },
};

export class LivenessResponse {
  @ApiProperty({ enum: ['ok'], description: '`ok` whenever the process responds.' })
  readonly status!: 'ok';
}

/** The result of a Terminus health check. */
export class ReadinessResponse {
  @ApiProperty({
    enum: ['ok', 'error', 'shutting_down'],
    description: '`error` if a part is down, `shutting_down` while the process stops, otherwise `ok`.',
  })
  readonly status!: string;

  @ApiPropertyOptional({ ...PARTS, description: 'The healthy parts.', example: { sessions: { status: 'up' } } })
  readonly info?: object;

  @ApiPropertyOptional({ ...PARTS, description: 'The unhealthy parts.', example: {} })
  readonly error?: object;

  @ApiProperty({ ...PARTS, description: 'All parts.', example: { sessions: { status: 'up' } } })
  readonly details!: object;
}
