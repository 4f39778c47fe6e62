import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

const MAX_TEXT_LENGTH = 64;
/** The first 96 bits of IPv6 addresses that stand for an IPv4 address: mapped, translated (RFC 2765), NAT64 (RFC 6052). */
const IPV4_PREFIXES = ['0:0:0:0:0:ffff', '0:0:0:0:ffff:0', '64:ff9b:0:0:0:0'];
/** The groups of an IPv6 address that name a network; its hosts choose the rest (RFC 4291). */
const NETWORK_GROUPS = 4;

/**
 * Returns the group in which failures of a source are counted. All spellings of an address, with or without a port, are
 * one source; so are an IPv6 network (/64), and an IPv4 address and its IPv6 forms. A source that is not an address,
 * such as a host name, is a text without regard to case.
 */
export function sourceGroupOf(source: string): string {
  const host = withoutPort(source.trim());
  const version = isIP(host);
  if (version === 4) return host;
  if (version === 6) return groupOfIpv6(host);
  const text = host.toLowerCase();
  return text.length > MAX_TEXT_LENGTH ? createHash('sha256').update(text).digest('base64url') : text;
}

function withoutPort(source: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([^:]*):\d{1,5})$/.exec(source) ?? [];
  return bracketed ?? plain ?? source;
}

function groupOfIpv6(address: string): string {
  const groups = ipv6Groups(address);
  if (!IPV4_PREFIXES.includes(groups.slice(0, 6).join(':'))) return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
  const bytes = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return bytes.flatMap((two) => [two >> 8, two & 0xff]).join('.');
}

/** Returns the eight groups of an address, in lower case and without leading zeros. */
function ipv6Groups(address: string): string[] {
  // The URL parser writes each address in one way only. It knows no zones, which matter only within a host.
  const canonical = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1);
  const [start = [], end = []] = canonical.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  return [...start, ...Array<string>(8 - start.length - end.length).fill('0'), ...end];
}
