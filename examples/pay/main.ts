import { runService } from '../service/run-service.js';
import { PayModule } from './pay.module.js';

/** The pay service as a process of its own. */
await runService(PayModule);
