/** The digest of each session's token, which the tombstone keeps. Rows of earlier builds have it in their payload. */
export const tokenDigestsMigration = {
  version: 3,
  name: 'token-digests',
  oldest: { schema: 3, release: '0.1.0' },
  statements: ['ALTER TABLE {session} ADD COLUMN token_digest text'],
};
