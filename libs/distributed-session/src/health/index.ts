export {
  DistributedSessionHealthIndicator,
  type DistributedSessionHealthOptions,
} from './distributed-session.health-indicator.js';
