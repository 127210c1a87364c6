/**
 * Reports whether a browser has sent a request from a page of the same origin.
 *
 * Browsers send `Sec-Fetch-Site` to HTTPS and to localhost, and pages cannot set it. Elsewhere the `Origin`
 * counts: its host must be that of the request. Its scheme is not compared, since a proxy may end TLS. A
 * request with neither is refused.
 */
export function isSameOrigin({ headers, url }: Request): boolean {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin'
  const origin = headers.get('origin') ?? ''
  return URL.canParse(origin) && new URL(origin).host === new URL(url).host
}
