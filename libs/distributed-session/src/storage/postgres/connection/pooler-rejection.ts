import { refusalOf, sqlStateOf } from './postgres-failure.js';

/** The code with which poolers report their own errors, and those of the server at their login. */
const POOLER_ERROR = '08P01';

/** What poolers say when they reject a connection until someone acts, and the way out. */
const REJECTIONS: readonly (readonly [RegExp, string])[] = [
  [
    /^unsupported startup parameter/,
    'a pooler rejects a start-up parameter: remove it from the url, the options, the pool and PGOPTIONS, or add it to ignore_startup_parameters of the pooler',
  ],
  [
    /authentication failed|no such user/,
    'the user or the password is wrong, or the pooler has another one for the server: correct it in the url or the options, or in the auth_file of the pooler',
  ],
  [
    /no such database|database .* does not exist/,
    'the server does not have this database: create it, or set another one',
  ],
];

/** Returns why a pooler rejects a connection, with its own words, if waiting does not help; otherwise `undefined`. */
export function poolerRejection(error: unknown): string | undefined {
  if (sqlStateOf(error) !== POOLER_ERROR) return undefined;
  const { message } = error as Error;
  const [, reason] = REJECTIONS.find(([words]) => words.test(message)) ?? [];
  return reason && `${reason}${refusalOf(error)}`;
}
