import type { UnreadableCause } from 'nestjs-distributed-session';

/** Describes why an entry of a list cannot be read. */
export const UNREADABLE_CAUSE = {
  enum: ['newer-format', 'corrupt'] satisfies UnreadableCause[],
  description: 'Why: a later release wrote the record, which its instances can read; or the record is not valid.',
};
