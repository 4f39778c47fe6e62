/** Words in samples, defaults and guessed passwords. */
const WORDS = (
  'change example sample default secret password admin placeholder letmein welcome iloveyou dragon monkey master session service production ' +
  'token pepper metrics drowssap deadbeef cafebabe feedface baadf00d c0ffee lorem ipsum test root secure super strong company ' +
  'server this very qwerty hunter summer winter'
).split(' ');

/** Pi, a test vector of AES, and the digests of nothing and of "password". */
const PUBLISHED = [
  '31415926535897932384626433832795',
  '2b7e151628aed2a6abf7158809cf4f3c',
  'd41d8cd98f00b204e9800998ecf8427e',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '5f4dcc3b5aa765d61d8327deb882cf99',
  '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
];

export const KNOWN_WORDS = [...WORDS, ...PUBLISHED].map((word) => new RegExp(word, 'g'));

/** The keys of a US keyboard by row and column. A step to a neighbour is the same difference everywhere. */
export const KEYBOARD: ReadonlyMap<string, number> = new Map(
  ['1234567890-=', 'qwertyuiop[]', "asdfghjkl;'", 'zxcvbnm,./'].flatMap((keys, row) =>
    Array.from(keys, (key, column): [string, number] => [key, row * 100 + column]),
  ),
);

/** The most frequent pairs of letters in English, which are five of six pairs in a text and one of five by chance. */
export const COMMON_BIGRAMS: ReadonlySet<string> = new Set(
  (
    'th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ' +
    'ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ' +
    'ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp ' +
    'fe bl ab gh ty op wo sa ay ex ke fr oo av ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef cu rn sc gi da ' +
    'yo cr cl du ga qu ue ff ba ey ls va um pp ua up lu go ht ru ug ds lt pi rc rr eg au ck ew mu br bi pt ak pu ui rg ib ' +
    'tl ny ki rk ys ob mm fu ph og ms ye ud mb ip ub oi rl gu dr hr cc tw ft wn nu af hu nn eo vo rv nf xp gn sm fl iz ok'
  ).split(' '),
);
