import { createHash } from 'node:crypto'
import { pageHtml, pageScript, pageStyle } from './page.ts'

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** No other source, no form, no frame; the page reads and posts to its own address only. */
const contentSecurityPolicy = [
  "default-src 'none'",
  `script-src ${hashOf(pageScript)}`,
  `style-src ${hashOf(pageStyle)}`,
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const commonHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export function pageResponse(snapshot: object): Response {
  return respond(pageHtml(snapshot), 200, { 'content-type': 'text/html; charset=utf-8' })
}

export function jsonResponse(body: object, status = 200): Response {
  return respond(JSON.stringify(body), status, { 'content-type': 'application/json; charset=utf-8' })
}

/** Returns a refusal, which gives no detail. */
export function refusal(status: number, headers?: Readonly<Record<string, string>>): Response {
  return respond(`${status}\n`, status, { 'content-type': 'text/plain; charset=utf-8', ...headers })
}

function respond(body: string, status: number, headers: Readonly<Record<string, string>>): Response {
  return new Response(body, { status, headers: { ...commonHeaders, ...headers } })
}
