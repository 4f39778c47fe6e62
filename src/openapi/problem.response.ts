import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** One invalid field. */
class FieldErrorResponse {
  @ApiProperty({ description: 'The path of the field.', example: 'client.ip' })
  readonly field!: string;

  @ApiProperty({ description: 'A sentence about the error.', example: 'client.ip must be a string, not a number.' })
  readonly message!: string;
}

/** Problem details (RFC 9457). Programs branch on `code`. Each code may have additional fields. */
export class ProblemResponse {
  @ApiProperty({
    description: 'A URN that ends with the code.',
    example: 'urn:problem-type:distributed-session:ERR_REQUEST_INPUT',
  })
  readonly type!: string;

  @ApiProperty({ description: 'The reason phrase of the status.', example: 'Bad Request' })
  readonly title!: string;

  @ApiProperty({ type: 'integer', description: 'The HTTP status.', example: 400 })
  readonly status!: number;

  @ApiProperty({ description: 'A message for people: what is wrong, and how to fix it.' })
  readonly detail!: string;

  @ApiProperty({ description: 'The stable code of the error, for programs.', example: 'ERR_REQUEST_INPUT' })
  readonly code!: string;

  @ApiPropertyOptional({ description: 'The first invalid field.' })
  readonly field?: string;

  @ApiPropertyOptional({ type: [FieldErrorResponse], description: 'All invalid fields.' })
  readonly errors?: readonly FieldErrorResponse[];

  @ApiPropertyOptional({ description: 'The `X-Request-Id`, which identifies the request in the log.' })
  readonly requestId?: string;
}
