/**
 * Where a service may put its credential.
 * - `basic`: `Authorization: Basic base64(<serviceId>:<secret>)` (RFC 7617)
 * - `bearer`: `Authorization: Bearer dss_…`, a generated secret (RFC 6750); the secret itself names its service
 * - `headers`: `X-Service-Id` and `X-Service-Secret`
 */
export const SERVICE_CARRIERS = ['basic', 'bearer', 'headers'] as const;
export type ServiceCarrier = (typeof SERVICE_CARRIERS)[number];

/**
 * Where a client may put the credential of its session.
 * - `cookie`: the cookie named by `sessionCookieName`
 * - `bearer`: `Authorization: Bearer <sessionId>.<token>`
 * - `headers`: `X-Session-Id` and `Authorization: Bearer <token>`
 */
export const SESSION_CARRIERS = ['cookie', 'bearer', 'headers'] as const;
export type SessionCarrier = (typeof SESSION_CARRIERS)[number];
