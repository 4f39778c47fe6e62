import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** How one part of the service is; beside `status` it tells what is wrong. */
const PARTS = {
  type: 'object' as const,
  additionalProperties: {
    type: 'object',
    properties: { status: { type: 'string', enum: ['up', 'degraded', 'down'] } },
    required: ['status'],
    additionalProperties: true,
  },
};

export class LivenessResponse {
  @ApiProperty({ enum: ['ok'] })
  readonly status!: 'ok';
}

/** The result of Terminus. */
export class ReadinessResponse {
  @ApiProperty({ enum: ['ok', 'error', 'shutting_down'] })
  readonly status!: string;

  @ApiPropertyOptional({ ...PARTS, description: 'The parts that are well.', example: { sessions: { status: 'up' } } })
  readonly info?: object;

  @ApiPropertyOptional({ ...PARTS, description: 'The parts that are not.', example: {} })
  readonly error?: object;

  @ApiProperty({ ...PARTS, description: 'All of them.', example: { sessions: { status: 'up' } } })
  readonly details!: object;
}
