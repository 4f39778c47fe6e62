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
import { PROBLEM_EXAMPLES, type ProblemCode, exampleName } from './problem-examples.js';
import { ProblemResponse } from './problem.response.js';

type Permission = string | PermissionRequirement;

export interface OperationDescription {
  readonly summary: string;
  readonly description?: string;
  /** What the calling service must be permitted, all of it. */
  readonly permissions: readonly [Permission, ...Permission[]];
  readonly answer: {
    readonly status?: 200 | 201;
    readonly type: Type<unknown> | [Type<unknown>];
    readonly description: string;
  };
  /** A body to begin with; without one, each field of its class gives an example. */
  readonly body?: { readonly type: Type<unknown>; readonly example: object };
  /** The codes that this route may answer with beside those that all routes have. */
  readonly problems?: readonly DescribedProblem[];
}

/** A code; with a status that goes over the usual one. */
type DescribedProblem = ProblemCode | readonly [ProblemCode, number];

/** What any route may answer: how it is asked, and by whom. Also one without a permission proves a credential that is sent. */
const OF_ALL_ROUTES: readonly DescribedProblem[] = [
  'ERR_REQUEST_INPUT',
  'ERR_REQUEST_JSON',
  'ERR_REQUEST_HEADER',
  'ERR_REQUEST_PATH',
  'ERR_SERVICE_AUTHENTICATION',
  'ERR_REQUEST_TOO_LARGE',
  'ERR_REQUEST_CONTENT_TYPE',
  ['ERR_SERVICE_AUTHENTICATION', 429],
  'ERR_INTERNAL',
];

/** What a route that asks for a permission may answer: what the caller may, and how the store is. */
const OF_PERMITTED_ROUTES: readonly DescribedProblem[] = [
  'ERR_SERVICE_PERMISSION',
  'ERR_STORAGE_CORRUPT',
  'ERR_STORAGE_UNAVAILABLE',
  'ERR_STORAGE_OUTCOME_UNKNOWN',
  'ERR_KEY_UNAVAILABLE',
];

/** The extension of the OpenAPI document that holds what an operation asks for, as a list of requirements. */
export const PERMISSIONS_EXTENSION = 'x-permissions';

/** Says all of a route in one place: what it does, the permission that it asks for (and gets checked), its answers. */
export function Operation(operation: OperationDescription): MethodDecorator {
  const { summary, description, permissions, body, answer, problems = [] } = operation;
  const { status = 200, type } = answer;
  const asked = permissions.map(
    (permission) => `\`${typeof permission === 'string' ? permission : permission.permission}\``,
  );
  return applyDecorators(
    RequireServicePermission(...permissions),
    ApiSecurity('basic'),
    ApiSecurity('bearer'),
    ApiExtension(PERMISSIONS_EXTENSION, permissions.map(toRequirement)),
    ApiOperation({
      summary,
      description: [description, `Asks for ${asked.join(' and ')}.`].filter((text) => text !== undefined).join('\n\n'),
    }),
    ...(body ? [ApiBody({ type: body.type, examples: { usual: { value: body.example } } })] : []),
    ApiResponse({ status, type: type as Type<unknown>, description: answer.description }),
    ApiProblems(...OF_PERMITTED_ROUTES, ...problems),
  );
}

/** Lists the problems that a route may answer with, those that all routes have among them. */
export function ApiProblems(...problems: readonly DescribedProblem[]): MethodDecorator {
  const grouped = byStatus([...OF_ALL_ROUTES, ...problems]);
  return applyDecorators(
    ApiExtraModels(ProblemResponse),
    ...grouped.map(([status, codes]) => problemResponse(status, codes)),
  );
}

function toRequirement(permission: Permission): PermissionRequirement {
  return typeof permission === 'string' ? { permission, partly: false } : permission;
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
    description: codes.map((code) => `\`${code}\`: ${PROBLEM_EXAMPLES[code].when}`).join('\n\n'),
    content: {
      'application/problem+json': {
        schema: { $ref: getSchemaPath(ProblemResponse) },
        examples: Object.fromEntries(examples) as Record<string, { $ref: string }>,
      },
    },
  });
}
