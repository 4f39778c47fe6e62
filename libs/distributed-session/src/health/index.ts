import '../model/module-format.js';
export {
  DistributedSessionHealthIndicator,
  type DistributedSessionHealthOptions,
} from './distributed-session.health-indicator.js';
