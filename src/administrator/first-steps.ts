import type { Environment } from '../config/environment.js';
import { keyEntries } from '../config/key-entries.js';

/** Returns the text printed at a start in development: the administrator's credential and commands to try. */
export function firstSteps(url: string, environment: Environment, generatedSecret: string | undefined): string {
  const { ADMIN_SERVICE_ID: serviceId, ADMIN_SECRET, DOCS } = environment;
  const isList = keyEntries(ADMIN_SECRET).length > 1;
  const secret = generatedSecret ?? (isList ? '${ADMIN_SECRET%%[[:space:]]*}' : '$ADMIN_SECRET');
  const configured = isList ? 'the first entry of ADMIN_SECRET' : 'the value of ADMIN_SECRET';
  const known = generatedSecret === undefined ? configured : `${secret}   (generated at every start)`;
  const curl = `curl -sS -u "${serviceId}:${secret}"`;
  const json = `-H 'Content-Type: application/json'`;
  return `
  The session service is ready at ${url}
${DOCS === 'on' ? `  API documentation: ${url}/docs\n` : ''}
  Administrator: ${serviceId}
  Secret:        ${known}

  Try these commands. Check the health of the storage:
    curl -sS ${url}/health/ready

  Log a user in on a device, with an attribute:
    ${curl} ${json} -d '{"loginId":"user123","device":"web","attributes":{"role":"customer"}}' ${url}/v1/sessions

  List the user's sessions:
    ${curl} ${url}/v1/logins/user123/sessions

  Register a service that may read sessions and write its own attributes:
    ${curl} ${json} -d '{"serviceId":"order","serviceName":"Orders","permissions":["session.read","session.write:order.*"],"replace":true}' ${url}/v1/services

  Log the user out everywhere, and read why and by whom the sessions were ended:
    ${curl} -X DELETE ${url}/v1/logins/user123/sessions
    ${curl} ${url}/v1/logins/user123/history
`;
}
