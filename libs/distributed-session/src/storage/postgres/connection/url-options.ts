import { Client, type ClientConfig } from 'pg';
import { OptionsError } from '../../../errors/options.error.js';
import { reasonOf } from './postgres-failure.js';

/** What a url may say beside the address, as `pg` reads it. */
const PARAMETERS = [
  'application_name',
  'options',
  'client_encoding',
  'sslnegotiation',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
];

/**
 * What a url says, one by one, so that other options may go over it: `pg` itself has the url go over all of them.
 * Throws an {@link OptionsError} where `pg` cannot use it.
 */
export function urlOptions(url: string): ClientConfig {
  const { pathname, searchParams } = new URL(url);
  const { host, port, user, password, database, ssl } = readByPg(url);
  return {
    ...Object.fromEntries([...searchParams].filter(([name]) => PARAMETERS.includes(name))),
    host,
    port,
    user,
    password: password ?? undefined,
    // Otherwise it has the name of the user, who may be another one.
    ...(pathname.length > 1 && { database }),
    ssl,
  };
}

/** A client that is not connected. */
function readByPg(url: string): Client {
  try {
    return new Client({ connectionString: url });
  } catch (error) {
    // Its message may repeat the url, which has a password in it.
    throw new OptionsError('The options of PostgresSessionStorage are not usable:', [
      `url cannot be used${reasonOf(error)}: look at its parameters, and at the files that they name`,
    ]);
  }
}
