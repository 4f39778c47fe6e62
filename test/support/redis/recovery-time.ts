/**
 * How long a storage may take until it works again by itself: five seconds (I10 of the threats), and what a machine that
 * runs other tests beside may add to that.
 */
export const RECOVERY_MS = 8_000;
