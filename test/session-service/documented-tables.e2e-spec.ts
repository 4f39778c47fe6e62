import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { PermissionRequirement } from 'nestjs-distributed-session';
import { Environment, SECRET_VARIABLES } from '../../src/config/environment.js';
import { REQUEST_ERRORS } from '../../src/http/problem.js';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import { PERMISSIONS_EXTENSION } from '../../src/openapi/operation.decorator.js';
import { PROBLEM_EXAMPLES, type ProblemCode } from '../../src/openapi/problem-examples.js';
import { readPage } from '../support/documentation-program.js';
import { codeIn, tableUnder } from '../support/markdown.js';
import { startService, stopServices } from '../support/running-service.js';

const page = readPage('docs/session-service.md');

interface DescribedOperation {
  readonly summary: string;
  readonly [PERMISSIONS_EXTENSION]: readonly PermissionRequirement[];
}

describe('the table of routes', () => {
  let document: OpenAPIObject;

  beforeAll(async () => {
    document = openApiDocument((await startService()).app);
  });

  afterAll(stopServices);

  it('has every route under /v1, what it does, and what it asks for', () => {
    const described = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/v1/'))
      .flatMap(([path, item]) =>
        Object.entries(item as Record<string, DescribedOperation>).map(([method, operation]) => [
          `\`${method.toUpperCase()} ${path}\``,
          operation.summary,
          operation[PERMISSIONS_EXTENSION].map(
            ({ permission, partly }) => `\`${permission}\`${partly ? ' (partly)' : ''}`,
          ).join(' and '),
        ]),
      );
    expect(tableUnder(page, 'Routes')).toEqual(described);
  });
});

describe('the table of environment variables', () => {
  const rows = tableUnder(page, 'Configuration');
  const defaults = new Map(Object.entries(new Environment()));

  it('has every variable, in the order of the code', () => {
    expect(rows.map(([name = '']) => codeIn(name)[0])).toEqual([...defaults.keys()]);
  });

  it.each(rows.map(([name = '', value = '', what = '']) => [codeIn(name)[0]!, value, what]))(
    'gives the default of %s: %s',
    (name, value, what) => {
      const known = defaults.get(name) as string | number | undefined;
      expect(value).toBe(known === undefined ? value : `\`${known}\``);
      const isSecret = (SECRET_VARIABLES as readonly string[]).includes(name);
      expect(what.includes('`_FILE`')).toBe(isSecret);
    },
  );

  it('says what depends on the mode', () => {
    const modes = ['development', 'production'].map((NODE_ENV) => Object.assign(new Environment(), { NODE_ENV }));
    const written = new Map(rows.map(([name = '', value = '']) => [codeIn(name)[0], codeIn(value)]));
    expect(written.get('HOST')).toEqual(modes.map(({ host }) => host));
    expect(written.get('LOG_FORMAT')).toEqual(modes.map(({ logFormat }) => logFormat));
  });
});

describe('the table of errors', () => {
  it("has every code of the service's own, with its status and when it is answered", () => {
    const own = [...Object.keys(REQUEST_ERRORS), 'ERR_INTERNAL'] as ProblemCode[];
    const expected = own.map((code) => [
      `\`${code}\``,
      String(PROBLEM_EXAMPLES[code].status),
      PROBLEM_EXAMPLES[code].when,
    ]);
    expect(new Set(tableUnder(page, 'Errors'))).toEqual(new Set(expected));
  });

  it.each(Object.entries(REQUEST_ERRORS))('%s is documented with the status that is answered', (code, status) => {
    expect(PROBLEM_EXAMPLES[code as ProblemCode].status).toBe(status);
  });
});

describe('the problems of the OpenAPI document', () => {
  it('have the statuses that the library answers with', () => {
    const rows = tableUnder(readPage('libs/distributed-session/README.md'), 'Errors');
    for (const [code = '', status] of rows.filter(([name]) => name !== '`ERR_OPTIONS`')) {
      const documented = PROBLEM_EXAMPLES[codeIn(code)[0] as ProblemCode];
      expect([code, String(documented.status)]).toEqual([code, status]);
    }
  });
});

describe("the README's table of options", () => {
  it('says the same as the one of the library', () => {
    const library = new Map(
      tableUnder(readPage('libs/distributed-session/README.md'), 'Options').map(([name, value]) => [name, value]),
    );
    const rows = tableUnder(readPage('README.md'), 'Options');
    expect(rows.length).toBeGreaterThan(5);
    for (const [name, value] of rows) expect([name, value]).toEqual([name, library.get(name)]);
  });
});
