import { type Type, applyDecorators } from '@nestjs/common';
import {
  ApiBody,
  ApiExtension,
  ApiExtraModels,
  ApiOperation,
  ApiResponse,
  ApiSecurity,
  getSchemaPath,
} from '@nestjs/swagger';
import { type PermissionRequirement, RequireServicePermission } from 'nestjs-distributed-session';
import { PROBLEM_EXAMPLES, type ProblemCode, exampleName, whenOf } from './problem-examples.js';
import { ProblemResponse } from './problem.response.js';

type Permission = string | PermissionRequirement;

export interface OperationDescription {
  readonly summary: string;
  readonly description?: string;
  /** The permissions that the calling service must have, all of them. */
  readonly permissions: readonly [Permission, ...Permission[]];
  readonly response: {
    readonly status?: 200 | 201;
    readonly type: Type<unknown> | [Type<unknown>];
    readonly description: string;
  };
  /** An example body. Without it, the example consists of the examples of all fields. */
  readonly body?: { readonly type: Type<unknown>; readonly example: object };
  /** The codes of this route, in addition to those of all routes. */
  readonly problems?: readonly DescribedProblem[];
}

/** A code, optionally with a status that overrides its usual one. */
type DescribedProblem = ProblemCode | readonly [ProblemCode, number];

/** The problems of every route. Routes without a permission also authenticate a credential that is sent. */
const OF_ALL_ROUTES: readonly DescribedProblem[] = [
  'ERR_REQUEST_INPUT',
  'ERR_REQUEST_JSON',
  'ERR_REQUEST_HEADER',
  'ERR_REQUEST_PATH',
  'ERR_REQUEST_CROSS_SITE',
  'ERR_SERVICE_AUTHENTICATION',
  'ERR_REQUEST_TOO_LARGE',
  'ERR_REQUEST_CONTENT_TYPE',
  ['ERR_SERVICE_AUTHENTICATION', 429],
  ['ERR_REQUEST_HEADER', 431],
  'ERR_INTERNAL',
];

/** The additional problems of routes that require a permission: missing permissions and storage failures. */
const OF_PERMITTED_ROUTES: readonly DescribedProblem[] = [
  'ERR_SERVICE_PERMISSION',
  'ERR_STORAGE_CORRUPT',
  'ERR_PACKAGE_UNAVAILABLE',
  'ERR_STORAGE_NEWER_FORMAT',
  'ERR_STORAGE_UNAVAILABLE',
  'ERR_STORAGE_OUTCOME_UNKNOWN',
  'ERR_KEY_UNAVAILABLE',
];

/** The OpenAPI extension that lists an operation's permission requirements. */
export const PERMISSIONS_EXTENSION = 'x-permissions';

/** Describes a route in one place: its summary, the permissions that it requires and enforces, and its responses. */
export function Operation(operation: OperationDescription): MethodDecorator {
  const { summary, description, permissions, body, response, problems = [] } = operation;
  const { status = 200, type } = response;
  const required = permissions.map(
    (permission) => `\`${typeof permission === 'string' ? permission : permission.permission}\``,
  );
  return applyDecorators(
    RequireServicePermission(...permissions),
    ApiSecurity('basic'),
    ApiSecurity('bearer'),
    ApiExtension(PERMISSIONS_EXTENSION, permissions.map(toRequirement)),
    ApiOperation({
      summary,
      description: [description, `Requires ${required.join(' and ')}.`]
        .filter((text) => text !== undefined)
        .join('\n\n'),
    }),
    ...(body ? [ApiBody({ type: body.type, examples: { usual: { value: body.example } } })] : []),
    ApiResponse({ status, type: type as Type<unknown>, description: response.description }),
    ApiProblems(...OF_PERMITTED_ROUTES, ...problems),
  );
}

/** Lists the problems of a route, including those of all routes. */
export function ApiProblems(...problems: readonly DescribedProblem[]): MethodDecorator {
  const grouped = byStatus([...OF_ALL_ROUTES, ...problems]);
  return applyDecorators(
    ApiExtraModels(ProblemResponse),
    ...grouped.map(([status, codes]) => problemResponse(status, codes)),
  );
}

function toRequirement(permission: Permission): PermissionRequirement {
  return typeof permission === 'string' ? { permission, forSomeAttributes: false } : permission;
}

function byStatus(problems: readonly DescribedProblem[]): [number, ProblemCode[]][] {
  const grouped = new Map<number, ProblemCode[]>();
  for (const problem of problems) {
    const [code, status] = typeof problem === 'string' ? [problem, PROBLEM_EXAMPLES[problem].status] : problem;
    grouped.set(status, [...(grouped.get(status) ?? []), code]);
  }
  return [...grouped].toSorted(([a], [b]) => a - b);
}

function problemResponse(status: number, codes: readonly ProblemCode[]): MethodDecorator {
  const examples = codes.map((code) => [code, { $ref: `#/components/examples/${exampleName(code, status)}` }]);
  return ApiResponse({
    status,
    description: codes.map((code) => `\`${code}\`: ${whenOf(code, status)}`).join('\n\n'),
    content: {
      'application/problem+json': {
        schema: { $ref: getSchemaPath(ProblemResponse) },
        examples: Object.fromEntries(examples) as Record<string, { $ref: string }>,
      },
    },
  });
}
