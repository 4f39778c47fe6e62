import type { ApiPropertyOptions } from '@nestjs/swagger';
import { END_REASONS } from 'nestjs-distributed-session';

/** The OpenAPI description of a recorded reason. It is not an enumeration: a later release may have added one. */
export const END_REASON: ApiPropertyOptions = {
  type: 'string',
  description: `Why the session ended: ${END_REASONS.map((reason) => `\`${reason}\``).join(', ')}, or a reason that a later release has added.`,
  example: 'logged-out',
};
