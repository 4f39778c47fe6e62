/** The name of the client that reads everything after all others have stopped. */
export const QUIET_CLIENT = 'quiet';

/** @param {{ client: string }} call */
export function isQuiet({ client }) {
  return client === QUIET_CLIENT;
}
