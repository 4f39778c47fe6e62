import type { Environment } from '../config/environment.js';

/** What a person who starts the service for the first time sees: who they are, and what to try next. */
export function firstSteps(url: string, environment: Environment, generatedSecret: string | undefined): string {
  const { ADMIN_SERVICE_ID: serviceId, DOCS } = environment;
  const secret = generatedSecret ?? '$ADMIN_SECRET';
  const known = generatedSecret === undefined ? 'with the secret of ADMIN_SECRET' : `${secret}   (new at each start)`;
  const curl = `curl -sS -u "${serviceId}:${secret}"`;
  const json = `-H 'Content-Type: application/json'`;
  return `
  The session service is ready: ${url}
${DOCS === 'on' ? `  Every route, to read and to try: ${url}/docs\n` : ''}
  Administrator: ${serviceId}
  Secret:        ${known}

  Try next. Is the store well?
    curl -sS ${url}/health/ready

  Log a user in, on a device, with an attribute:
    ${curl} ${json} -d '{"loginId":"user123","device":"web","attributes":{"role":"customer"}}' ${url}/v1/sessions

  See the user's devices:
    ${curl} ${url}/v1/logins/user123/sessions

  Register a service that may read sessions, and write attributes of its own:
    ${curl} ${json} -d '{"serviceId":"order","serviceName":"Orders","permissions":["session.read","session.write:order.*"],"replace":true}' ${url}/v1/services

  Log the user out everywhere, and see why the sessions ended, and by whom:
    ${curl} -X DELETE ${url}/v1/logins/user123/sessions
    ${curl} ${url}/v1/logins/user123/history
`;
}
