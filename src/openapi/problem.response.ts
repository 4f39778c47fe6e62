import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** One invalid field. */
class InputFaultResponse {
  @ApiProperty({ example: 'client.ip' })
  readonly field!: string;

  @ApiProperty({ example: 'client.ip must be a string, not a number.' })
  readonly message!: string;
}

/** Problem details (RFC 9457). Programs branch on `code`. Each code may have additional fields. */
export class ProblemResponse {
  @ApiProperty({ example: 'urn:problem-type:distributed-session:ERR_REQUEST_INPUT' })
  readonly type!: string;

  @ApiProperty({ description: 'The reason phrase of the status.', example: 'Bad Request' })
  readonly title!: string;

  @ApiProperty({ type: 'integer', example: 400 })
  readonly status!: number;

  @ApiProperty({ description: 'A message for people: what is wrong, and how to fix it.' })
  readonly detail!: string;

  @ApiProperty({ example: 'ERR_REQUEST_INPUT' })
  readonly code!: string;

  @ApiPropertyOptional({ description: 'The first invalid field.' })
  readonly field?: string;

  @ApiPropertyOptional({ type: [InputFaultResponse], description: 'All invalid fields.' })
  readonly errors?: readonly InputFaultResponse[];

  @ApiPropertyOptional({ description: 'The `X-Request-Id`, which identifies the request in the log.' })
  readonly requestId?: string;
}
