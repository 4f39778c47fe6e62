/**
 * Whether this run covers everything (`npm run test:full`), or all behaviour once (`npm test`). A test with a matrix runs
 * all of it in the full tier and one representative otherwise. Which files a tier runs is in `test/tiers.js`.
 */
export const isFullTier = process.env['TEST_TIER'] === 'full';
