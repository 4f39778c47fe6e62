/** The name of the client who reads everything once all others have come to rest. */
export const QUIET_CLIENT = 'quiet';

/** @param {{ client: string }} call */
export function isQuiet({ client }) {
  return client === QUIET_CLIENT;
}
