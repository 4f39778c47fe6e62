import { Client, type ClientConfig } from 'pg';
import { OptionsError } from '../../../errors/options.error.js';
import { reasonOf } from './postgres-failure.js';

/** The parameters of a url that `pg` reads besides those about TLS. The timeouts are set after connecting. */
const URL_PARAMETERS = ['application_name', 'options', 'client_encoding', 'sslnegotiation', 'query_timeout'];
const IS_ABOUT_TLS = /^ssl/;

/** The settings in a url one by one, so that others can override them: `pg` lets the url override all others. */
export function urlSettings(url: string, option = 'url'): ClientConfig {
  const { pathname, searchParams } = new URL(url);
  const { host, port, user, password, database, ssl } = readByPg(url, option);
  return {
    ...Object.fromEntries([...searchParams].filter(([name]) => URL_PARAMETERS.includes(name))),
    host,
    port,
    user,
    password: password ?? undefined,
    // Without a path it is the user's name, and `options` may set another user.
    ...(pathname.length > 1 && { database }),
    ssl,
  };
}

/** The same, without those that the url omits. */
export function givenUrlSettings(url: string, option: string): ClientConfig {
  const { username, password, searchParams } = new URL(url);
  const { user, password: read, ssl, ...settings } = urlSettings(url, option);
  return {
    ...settings,
    ...(username !== '' && { user }),
    ...(password !== '' && { password: read }),
    ...([...searchParams.keys()].some((name) => IS_ABOUT_TLS.test(name)) && { ssl }),
  };
}

/** A client that is not connected. */
function readByPg(url: string, option: string): Client {
  try {
    return new Client({ connectionString: url });
  } catch (error) {
    // The original message may repeat the url, which contains a password.
    throw new OptionsError('Invalid options for PostgresSessionStorage:', [
      `${option} is invalid${reasonOf(error)}: check its parameters, and the files that they name`,
    ]);
  }
}
