import { ApiProperty } from '@nestjs/swagger';

/** Whether something was ended by this request. What had ended before is no error. */
export class EndedResponse {
  @ApiProperty({ example: true })
  readonly ended!: boolean;
}
