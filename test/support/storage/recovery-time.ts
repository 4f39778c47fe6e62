/** How long a storage may take until it works again by itself (I10). */
export const RECOVERY_MS = 5_000;
