import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Environment, SECRET_VARIABLES } from '../../src/config/environment.js';
import { REQUEST_ERRORS } from '../../src/http/problem.js';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import { PROBLEM_EXAMPLES, type ProblemCode } from '../../src/openapi/problem-examples.js';
import { readPage } from '../support/documentation-program.js';
import { codeIn, tableUnder } from '../support/markdown.js';
import { type JsonSchema, committedDocument, operationsIn, schemaIn } from '../support/openapi-operations.js';
import { type RunningService, startService, stopServices } from '../support/running-service.js';

const page = readPage('docs/session-service.md');

describe('The OpenAPI document', () => {
  let service: RunningService;
  let document: OpenAPIObject;

  beforeAll(async () => {
    service = await startService();
    document = openApiDocument(service.app);
  });

  afterAll(stopServices);

  it('is committed as it is served (`npm run openapi` writes it)', async () => {
    const committed = committedDocument();
    const served = await fetch(`${service.url}/docs/openapi.json`);
    expect(await served.json()).toEqual(committed);
    expect(JSON.parse(JSON.stringify(document))).toEqual(committed);
  });

  it('allows only the listed fields in every request body', () => {
    const bodies = operationsIn(document).flatMap(({ body }) => (body ? [body.schema] : []));
    expect(bodies.length).toBeGreaterThan(5);
    for (const schema of bodies) expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  });

  it('describes the responses and the problem codes of every operation', () => {
    for (const { answers } of operationsIn(document)) {
      expect([...answers.keys()]).toEqual(expect.arrayContaining([400, 401, 413, 415, 429, 500]));
      const undescribed = [...answers].filter(([, { schema }]) => schema === undefined);
      // A readiness failure is reported as a Terminus result, not as a problem.
      const uncoded = [...answers].filter(([status, { codes }]) => status >= 400 && status < 503 && codes.length === 0);
      expect([undescribed, uncoded]).toEqual([[], []]);
    }
  });

  it('describes every parameter and every property, with the unit of each time', () => {
    const described = operationsIn(document).flatMap(({ operationId, parameters }) =>
      parameters.map(({ name, description }): Described => [`${operationId} ${name}`, description]),
    );
    const schemas = Object.keys(document.components!.schemas!);
    const properties = schemas.flatMap((name) => propertiesIn(schemaIn(document, name), name));
    expect([...described, ...properties].filter(([, description]) => description === undefined)).toEqual([]);
    const times = properties.filter(([path]) => /(?:At|Ms)$/.test(path));
    expect(times.length).toBeGreaterThan(20);
    expect(times.filter(([, description]) => !/\bmilliseconds\b/i.test(description!))).toEqual([]);
  });

  it('lists the required permissions of every operation under /v1, with unique operation ids', () => {
    const operations = operationsIn(document).filter(({ path }) => path.startsWith('/v1/'));
    expect(operations.length).toBeGreaterThan(20);
    for (const { requirements } of operations) expect(requirements).not.toHaveLength(0);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it('matches the documented table of routes and permissions', () => {
    const described = operationsIn(document)
      .filter(({ path }) => path.startsWith('/v1/'))
      .map(({ method, path, summary, requirements }) => [
        `\`${method} ${path}\``,
        summary,
        requirements!
          .map(
            ({ permission, forSomeAttributes }) => `\`${permission}\`${forSomeAttributes ? ' (some attributes)' : ''}`,
          )
          .join(' and '),
      ]);
    expect(tableUnder(page, 'Routes')).toEqual(described);
  });
});

describe('Every route of the session service', () => {
  afterAll(stopServices);

  it('is in the OpenAPI document, and so in the permission table', async () => {
    const { app } = await startService({ variables: { DOCS: 'off' } });
    const { router } = app.getHttpAdapter().getInstance() as { router: { stack: readonly RouterLayer[] } };
    const served = router.stack.flatMap(({ route }) =>
      route ? Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`) : [],
    );
    const documented = operationsIn(openApiDocument(app)).map(
      ({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    );
    expect(served.toSorted()).toEqual(documented.toSorted());
  });
});

describe('The documented table of environment variables', () => {
  const rows = tableUnder(page, 'Configuration');
  const defaults = new Map(Object.entries(new Environment()));

  it('lists every variable in the order of the code', () => {
    expect(rows.map(([name = '']) => codeIn(name)[0])).toEqual([...defaults.keys()]);
  });

  it.each(rows.map(([name = '', value = '', what = '']) => [codeIn(name)[0]!, value, what]))(
    'contains the default of %s: %s',
    (name, value, what) => {
      const known = defaults.get(name) as string | number | undefined;
      expect(value).toBe(known === undefined ? value : `\`${known}\``);
      const isSecret = (SECRET_VARIABLES as readonly string[]).includes(name);
      expect(what.includes('`_FILE`')).toBe(isSecret);
    },
  );

  it('contains the defaults that depend on NODE_ENV', () => {
    const modes = ['development', 'production'].map((NODE_ENV) => Object.assign(new Environment(), { NODE_ENV }));
    const written = new Map(rows.map(([name = '', value = '']) => [codeIn(name)[0], codeIn(value)]));
    expect(written.get('HOST')).toEqual(modes.map(({ host }) => host));
    expect(written.get('LOG_FORMAT')).toEqual(modes.map(({ logFormat }) => logFormat));
  });
});

describe('The documented table of errors', () => {
  it("lists each of the service's own codes with its status and meaning", () => {
    const own = [...Object.keys(REQUEST_ERRORS), 'ERR_INTERNAL'] as ProblemCode[];
    const expected = own.map((code) => [
      `\`${code}\``,
      String(PROBLEM_EXAMPLES[code].status),
      PROBLEM_EXAMPLES[code].when,
    ]);
    expect(new Set(tableUnder(page, 'Errors'))).toEqual(new Set(expected));
  });

  it.each(Object.entries(REQUEST_ERRORS))('lists the response status of %s', (code, status) => {
    expect(PROBLEM_EXAMPLES[code as ProblemCode].status).toBe(status);
  });
});

describe('The problems of the OpenAPI document', () => {
  it('have a separate description for each status of a code', () => {
    const examples = Object.values(committedDocument().components!.examples!) as { summary: string }[];
    expect(new Set(examples.map(({ summary }) => summary)).size).toBe(examples.length);
  });

  it('have the statuses of the library', () => {
    const rows = tableUnder(readPage('libs/distributed-session/README.md'), 'Errors');
    // The service does not start with the one, and does not guard its routes by the session for the other.
    const unused = ['`ERR_OPTIONS`', '`ERR_SESSION_MISSING`', '`ERR_TRANSPORT_NOT_SUPPORTED`'];
    for (const [code = '', status] of rows.filter(([name = '']) => !unused.includes(name))) {
      const documented = PROBLEM_EXAMPLES[codeIn(code)[0] as ProblemCode];
      expect([code, String(documented.status)]).toEqual([code, status]);
    }
  });
});

describe("The README's table of options", () => {
  it("matches the library's table", () => {
    const library = new Map(
      tableUnder(readPage('libs/distributed-session/README.md'), 'Options').map(([name, value]) => [name, value]),
    );
    const rows = tableUnder(readPage('README.md'), 'Options');
    expect(rows.length).toBeGreaterThan(5);
    for (const [name, value] of rows) expect([name, value]).toEqual([name, library.get(name)]);
  });
});

interface RouterLayer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

/** The name of a parameter or the path of a property, and its description. */
type Described = readonly [path: string, description: string | undefined];

function propertiesIn(schema: JsonSchema, path: string): Described[] {
  const { properties = {}, items, additionalProperties } = schema;
  const below = [items, additionalProperties].filter((one) => typeof one === 'object');
  return [
    ...Object.entries(properties).flatMap(([name, property]): Described[] => [
      [`${path}.${name}`, property.description],
      ...propertiesIn(property, `${path}.${name}`),
    ]),
    ...below.flatMap((one) => propertiesIn(one, path)),
  ];
}
