import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { RequestError } from './problem.js';
import type { Middleware } from './request-context.js';

/** The values of `Sec-Fetch-Site` for requests of this service's own page, and of the user: an address or a bookmark. */
const OWN_SITES: readonly unknown[] = ['same-origin', 'none'];

/**
 * Rejects requests that a browser sends for a page of another origin, also on the same site (ASVS 3.5.1). The browser
 * would add the HTTP Basic credential that its user entered. `Sec-Fetch-Site` decides; without it, as on plain HTTP,
 * `Origin` does. Links to this service work: a navigation without a credential reaches only open routes.
 */
export const crossSite: Middleware = (request, _response, next) => {
  if (!isOfOtherOrigin(request.headers) || isAnonymousLink(request)) return next();
  const message = 'The request comes from a page of another origin, and this API does not serve those.';
  next(new RequestError('ERR_REQUEST_CROSS_SITE', message));
};

function isOfOtherOrigin({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site === 'same-origin') return false;
  if (site !== undefined && !OWN_SITES.includes(site)) return true;
  return origin !== undefined && !isOrigin(origin, host);
}

/** Compares the hosts with their ports. A proxy that terminates TLS changes the scheme that this service sees. */
function isOrigin(origin: string, host = ''): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: given } = new URL(origin);
  return given !== '' && URL.canParse(`${protocol}//${host}`) && given === new URL(`${protocol}//${host}`).host;
}

function isAnonymousLink({ method, headers }: IncomingMessage): boolean {
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return isLink && (method === 'GET' || method === 'HEAD') && headers.authorization === undefined;
}
