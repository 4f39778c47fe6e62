/**
 * The places where a service may send its credential.
 *
 * - `basic`: `Authorization: Basic base64(<serviceId>:<secret>)` (RFC 7617)
 * - `bearer`: `Authorization: Bearer dss_…`, a generated secret (RFC 6750); the secret identifies its service
 * - `headers`: `X-Service-Id` and `X-Service-Secret`
 */
export const SERVICE_CARRIERS = ['basic', 'bearer', 'headers'] as const;

/** A place where a service may send its credential; see {@link SERVICE_CARRIERS}. */
export type ServiceCarrier = (typeof SERVICE_CARRIERS)[number];

/**
 * The places where a client may send its session's credential.
 *
 * - `cookie`: the cookie named by `sessionCookieName`
 * - `bearer`: `Authorization: Bearer <sessionId>.<token>`
 * - `headers`: `X-Session-Id` and `Authorization: Bearer <token>`
 */
export const SESSION_CARRIERS = ['cookie', 'bearer', 'headers'] as const;

/** A place where a client may send its session's credential; see {@link SESSION_CARRIERS}. */
export type SessionCarrier = (typeof SESSION_CARRIERS)[number];
