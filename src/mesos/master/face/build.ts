/** What VersionInfo says of the build; there is no build but the checkout, so it is a date of origin. */
export const buildTime = {
  build_date: '2026-11-21 00:00:00',
  build_time: 1_795_219_200,
  build_user: 'tandem',
} as const;
