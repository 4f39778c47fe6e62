import type { SessionEvent } from 'nestjs-distributed-session';
import type { EventsQuery } from './events.query.js';

/** Decides which events a stream tells. A gap concerns every stream. */
export type EventFilter = (event: SessionEvent) => boolean;

/** What the query asks for; news of services only for who may read services. */
export function eventFilter({ type, loginId, sessionId, serviceId }: EventsQuery, seesServices: boolean): EventFilter {
  return (event) => {
    if (event.type === 'feed.gap') return true;
    if (type !== undefined && !type.includes(event.type)) return false;
    if (serviceId !== undefined && event.serviceId !== serviceId) return false;
    if (event.type === 'service.changed') return seesServices && loginId === undefined && sessionId === undefined;
    if (loginId !== undefined && event.loginId !== loginId) return false;
    if (sessionId === undefined || event.sessionId === sessionId) return true;
    return event.type === 'session.rotated' && event.rotatedTo === sessionId;
  };
}
