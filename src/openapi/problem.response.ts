import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** One thing that is wrong with the input. */
class InputFaultResponse {
  @ApiProperty({ example: 'client.ip' })
  readonly field!: string;

  @ApiProperty({ example: 'client.ip must be a string.' })
  readonly message!: string;
}

/** Problem details (RFC 9457). Programs branch on `code`; beside these there are the fields of each code. */
export class ProblemResponse {
  @ApiProperty({ example: 'urn:problem-type:distributed-session:ERR_REQUEST_INPUT' })
  readonly type!: string;

  @ApiProperty({ description: 'The status in words.', example: 'Bad Request' })
  readonly title!: string;

  @ApiProperty({ type: 'integer', example: 400 })
  readonly status!: number;

  @ApiProperty({ description: 'For people: the fault, and the way out.' })
  readonly detail!: string;

  @ApiProperty({ example: 'ERR_REQUEST_INPUT' })
  readonly code!: string;

  @ApiPropertyOptional({ description: 'The first field at fault.' })
  readonly field?: string;

  @ApiPropertyOptional({ type: [InputFaultResponse], description: 'All fields at fault.' })
  readonly errors?: readonly InputFaultResponse[];

  @ApiPropertyOptional({ description: 'The `X-Request-Id`, under which the log has the request.' })
  readonly requestId?: string;
}
