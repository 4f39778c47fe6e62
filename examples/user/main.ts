import { runService } from '../service/run-service.js';
import { UserModule } from './user.module.js';

/** The user service as a process of its own. */
await runService(UserModule);
