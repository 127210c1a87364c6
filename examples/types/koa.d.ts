/** The members of Koa that the example uses: the package has no types. */
declare module 'koa' {
  interface Context {
    readonly path: string
    readonly query: Readonly<Record<string, string | undefined>>
    type: string
    body: unknown
  }
  export default class Koa {
    silent: boolean
    use(handler: (context: Context) => unknown): this
    listen(port: number, host: string, onListening: () => void): import('node:http').Server
  }
}
