/** How long a storage may take to recover by itself once its server responds again. */
export const RECOVERY_MS = 5_000;
