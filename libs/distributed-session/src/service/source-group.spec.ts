import { describe, expect, it } from '@jest/globals';
import { sourceGroupOf } from './source-group.js';

const IPV4 = '203.0.113.10';
const NETWORK = '2001:db8:1:2::/64';

describe('The source of an attempt', () => {
  it.each([
    '203.0.113.10',
    ' 203.0.113.10 ',
    '203.0.113.10:50001',
    '[203.0.113.10]:80',
    '::ffff:203.0.113.10',
    '::FFFF:cb00:710a',
    '0:0:0:0:0:ffff:cb00:710a',
    '0000:0000:0000:0000:0000:FFFF:203.0.113.10',
    '[::ffff:203.0.113.10]:50001',
    '::ffff:203.0.113.10%eth0',
    '::ffff:0:203.0.113.10',
    '64:ff9b::203.0.113.10',
    '64:ff9b::cb00:710a',
  ])('is the IPv4 address in %p', (source) => expect(sourceGroupOf(source)).toBe(IPV4));

  it.each([
    '2001:db8:1:2::1',
    '2001:DB8:0001:0002:ffff:ffff:ffff:ffff',
    '2001:db8:1:2:0:0:0:1',
    '2001:db8:1:2::203.0.113.10',
    '[2001:db8:1:2::1]',
    '[2001:db8:1:2::9]:443',
    '2001:db8:1:2::1%eth0',
    '2001:db8:1:2::1%25eth0',
  ])('is the IPv6 network of %p', (source) => expect(sourceGroupOf(source)).toBe(NETWORK));

  it('is another one for another address, network or text', () => {
    const sources = [IPV4, '203.0.113.1', '2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8::1', '::1', '::2:0:0:0:1'];
    const texts = ['proxy', 'proxy.example', '203.0.113.010', '1.2.3', '2001:db8:1:2::g', '[proxy', ''];
    const groups = [...sources, ...texts].map(sourceGroupOf);
    expect(new Set(groups).size).toBe(groups.length);
  });

  it('is the text without port, case and blanks, if it is not an address', () => {
    for (const source of ['Gateway-1', 'gateway-1:50001', ' GATEWAY-1 ', '[gateway-1]:80']) {
      expect(sourceGroupOf(source)).toBe('gateway-1');
    }
  });

  it('is short, however long the text is, and differs for texts that differ at their end', () => {
    const [one, two] = [sourceGroupOf(`${'x'.repeat(100_000)}1`), sourceGroupOf(`${'x'.repeat(100_000)}2`)];
    expect(one).toHaveLength(43);
    expect(one).not.toBe(two);
  });
});
