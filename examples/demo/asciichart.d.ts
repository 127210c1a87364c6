// The package brings no types of its own; these are the few that the demo uses.
declare module 'asciichart' {
  export const red: string
  export const blue: string
  export function plot(
    series: readonly (readonly number[])[],
    options: {
      readonly height?: number
      readonly min?: number
      readonly colors?: readonly string[]
      readonly format?: (value: number) => string
    },
  ): string
}
