import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { problemExamples } from './problem-examples.js';

const DESCRIPTION = `Sessions shared by several services: a user who logs in at one service is known to all of them.

A service authenticates every request by HTTP Basic (its id and secret), by a generated secret as bearer token, or by the headers \`X-Service-Id\` and \`X-Service-Secret\`. Its permissions determine what it may do. Times are epoch milliseconds. Every error is \`application/problem+json\` (RFC 9457) with a stable \`code\`; 429 and 503 include \`Retry-After\`. Unknown fields and query parameters are rejected.`;

/** Generates the OpenAPI document from the routes. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Session service')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addSecurity('basic', { type: 'http', scheme: 'basic', description: 'The service id and secret.' })
    .addSecurity('bearer', { type: 'http', scheme: 'bearer', description: 'A generated secret: `dss_…`.' })
    .addTag('Sessions', 'Single sessions.')
    .addTag('Attributes', 'The values that services share in a session.')
    .addTag('Logins', 'The online users, their sessions and their session history.')
    .addTag('Services', 'The services, their secrets and their permissions.')
    .addTag('Events', 'Changes to sessions and services, as a stream.')
    .addTag('Health', 'Health checks and metrics of this process.')
    .build();
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory: (_controller, method) => method });
  const schemas = closeBodies(document.components?.schemas ?? {});
  return { ...document, components: { ...document.components, schemas, examples: problemExamples() } };
}

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** Declares that request bodies have no other fields, which {@link RequestDtoPipe} enforces. */
function closeBodies(schemas: Schemas): Schemas {
  const closed = Object.entries(schemas).map(([name, schema]) =>
    name.endsWith('Body') ? [name, { ...schema, additionalProperties: false }] : [name, schema],
  );
  return Object.fromEntries(closed) as Schemas;
}

/** Serves the OpenAPI page at `/docs`, and the document at `/docs/openapi.json` and `/docs/openapi.yaml`. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Session service',
  });
}
