/** The name of the client that reads everything after all others have stopped. */
export const FINAL_READER = 'final-reader';

/** @param {{ client: string }} call */
export function isFinalRead({ client }) {
  return client === FINAL_READER;
}
