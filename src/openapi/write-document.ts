import { writeFile } from 'node:fs/promises';
import { readEnvironment } from '../config/read-environment.js';
import { createSessionService } from '../session-service.js';
import { openApiDocument } from './openapi-document.js';

// `npm run openapi`: writes the OpenAPI document to the file that the first argument names.
const app = await createSessionService(readEnvironment({ LOG_LEVEL: 'error' }));
await writeFile(process.argv[2]!, `${JSON.stringify(openApiDocument(app), undefined, 2)}\n`);
await app.close();
