import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { problemExamples } from './problem-examples.js';

const DESCRIPTION = `Sessions shared by services: log in at one, be known at all.

A service proves itself with every request, by HTTP Basic (its id and secret), by a generated secret as bearer token, or by \`X-Service-Id\` and \`X-Service-Secret\`; what it may do follows from its permissions. Times are epoch milliseconds. Every error is \`application/problem+json\` (RFC 9457) with a stable \`code\`; 429 and 503 carry \`Retry-After\`. Fields and query parameters that are not known are refused.`;

/** The OpenAPI document, made from the routes themselves. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Session service')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addSecurity('basic', { type: 'http', scheme: 'basic', description: 'Service id and secret.' })
    .addSecurity('bearer', { type: 'http', scheme: 'bearer', description: 'A generated secret, `dss_…`.' })
    .addTag('Sessions', 'One session at a time.')
    .addTag('Attributes', 'What services share about a session.')
    .addTag('Logins', 'Users: who is online, on which devices, and how their sessions ended.')
    .addTag('Services', 'Who may do what.')
    .addTag('Events', 'What happens, as it happens.')
    .addTag('Health', 'For whoever runs this process.')
    .build();
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory: (_controller, method) => method });
  const schemas = closeBodies(document.components?.schemas ?? {});
  return { ...document, components: { ...document.components, schemas, examples: problemExamples() } };
}

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** Says of bodies of requests that they have no fields beside those listed, as {@link RequestDtoPipe} sees to. */
function closeBodies(schemas: Schemas): Schemas {
  const closed = Object.entries(schemas).map(([name, schema]) =>
    name.endsWith('Body') ? [name, { ...schema, additionalProperties: false }] : [name, schema],
  );
  return Object.fromEntries(closed) as Schemas;
}

/** Serves the page at `/docs`, and the document at `/docs/openapi.json` and `/docs/openapi.yaml`. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Session service',
  });
}
