import type { Inspector } from './inspector.ts'

/** What is read of a request: of `node:http`, of Express, and of Fastify. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** The URL before Express took the path of a mount off it. */
  readonly originalUrl?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly socket: { readonly encrypted?: boolean | undefined } | object
}

/** What is called of a response of `node:http` and of Express. */
export interface NodeResponse {
  /** Whether another answer has begun, such as that of a timeout. */
  readonly headersSent?: boolean | undefined
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body: string): unknown
}

/** What is called of a reply of Fastify. */
export interface ReplyLike {
  /** Whether it is answered. */
  readonly sent?: boolean | undefined
  code(status: number): unknown
  headers(headers: Record<string, string>): unknown
  send(body: string): unknown
  then(fulfilled: () => void, rejected: () => void): void
}

/**
 * Returns an inspector as a handler of `node:http`, of an Express app or router, or of a route of Fastify.
 * The body of a request is not read, so a body parser may have run before. A request that something else has
 * answered meanwhile, such as a timeout, is not answered again.
 *
 * @example
 * createServer(nodeHandler(inspect))
 * app.use('/admin/sessions', nodeHandler(inspect)) // Express
 * fastify.all('/admin/sessions', nodeHandler(inspect))
 */
export function nodeHandler(
  handler: Inspector | ((request: Request) => Promise<Response>),
): (request: NodeRequest, response: NodeResponse | ReplyLike) => Promise<void> {
  return async (request, response) => {
    const answer = await answerOf(handler, request)
    const body = request.method === 'HEAD' ? '' : await answer.text()
    const headers = Object.fromEntries(answer.headers)
    if (!isReply(response)) {
      if (response.headersSent === true) return
      response.writeHead(answer.status, headers)
      response.end(body)
      return
    }
    if (response.sent === true) return
    response.code(answer.status)
    response.headers(headers)
    response.send(body)
    // Until then Fastify would take the end of the handler for a second, empty answer.
    await new Promise<void>((resolve) => response.then(resolve, resolve))
  }
}

async function answerOf(
  handler: (request: Request) => Promise<Response>,
  request: NodeRequest,
): Promise<Response> {
  let asRequest: Request
  try {
    asRequest = toRequest(request)
  } catch {
    // A method or a header that a `Request` cannot have.
    return new Response('400\n', { status: 400 })
  }
  return handler(asRequest)
}

function isReply(response: NodeResponse | ReplyLike): response is ReplyLike {
  return typeof (response as Partial<ReplyLike>).code === 'function'
}

function toRequest(request: NodeRequest): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    // Pseudo-headers of HTTP/2.
    if (value === undefined || name.startsWith(':')) continue
    for (const one of typeof value === 'string' ? [value] : value) headers.append(name, one)
  }
  const { method = 'GET' } = request
  return new Request(urlOf(request), { method, headers })
}

/** Returns the URL that was asked for. Its host is that of the header, whatever the path looks like. */
function urlOf({ url, originalUrl, headers, socket }: NodeRequest): string {
  const scheme = (socket as { readonly encrypted?: boolean }).encrypted === true ? 'https' : 'http'
  const { host, ':authority': authority = '' } = headers
  const base = `${scheme}://${host ?? authority}`
  const path = originalUrl ?? url ?? '/'
  // A host that is none is not the origin of any page.
  return (URL.canParse(base) ? new URL(base).origin : 'http://invalid') + (path.startsWith('/') ? path : '/')
}
