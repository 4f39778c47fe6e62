import { runService } from '../service/run-service.js';
import { OrderModule } from './order.module.js';

/** The order service as a process of its own. */
await runService(OrderModule);
